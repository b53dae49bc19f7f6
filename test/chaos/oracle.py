"""The oracle of the fault tests: keeps outside the program what was acknowledged, and says afterwards what is wrong.

An event carries a key of its own. The ledger knows per key the SHA-256 of its bytes and what became of each attempt
to publish it: acknowledged at an offset, refused, or unknown (the connection broke before an answer came).
"""

import collections
import hashlib
import threading

# First words of findings that a machine which stands still for a while does not make: one is a defect, also if the next
# run, with another seed, finds nothing. Beside ours those of `log verify`, of a hub that crashes or shows a secret, of
# damage that goes unnoticed, of events that a clock drops, and of two parsers that differ.
DEFECTS = frozenset((
    "lost", "hole", "altered", "moved", "order", "duplicate", "invented",
    "log verify", "crashed", "secret", "unnoticed", "early", "difference",
))


def is_defect(finding):
    return finding.split(":")[0] in DEFECTS


class Entry:
    __slots__ = ("digest", "has_id", "behind", "acked", "unknown")

    def __init__(self, digest, has_id, behind):
        self.digest = digest
        self.has_id = has_id
        self.behind = behind  # the highest offset acknowledged before its first attempt, -1 if none was
        self.acked = []    # offsets, one per acknowledgement
        self.unknown = 0   # attempts without an answer


class Ledger:
    """Written by the producers' threads. Every change is also appended to a file, for a reader after the fact."""

    def __init__(self, path=None):
        self._lock = threading.Lock()
        self._file = open(path, "a", encoding="utf-8") if path else None
        self.entries = {}
        self._highest = -1

    def attempt(self, key, data, has_id):
        digest = hashlib.sha256(data).hexdigest()
        with self._lock:
            self.entries.setdefault(key, Entry(digest, has_id, self._highest))
            self._write("attempt", key, digest)

    def acked(self, key, offset):
        with self._lock:
            self.entries[key].acked.append(offset)
            self._highest = max(self._highest, offset)
            self._write("acked", key, offset)

    def unknown(self, key):
        with self._lock:
            self.entries[key].unknown += 1
            self._write("unknown", key)

    def refused(self, key, status):
        with self._lock:
            self._write("refused", key, status)

    def acked_count(self):
        with self._lock:
            return sum(1 for entry in self.entries.values() if entry.acked)

    def forget(self):
        """For the next log."""
        self.entries.clear()
        self._highest = -1

    def close(self):
        if self._file:
            self._file.close()
            self._file = None

    def _write(self, *words):
        if self._file:
            print(*words, file=self._file, flush=True)


def check_progress(ledger):
    """A run in which nothing was acknowledged shows nothing."""
    return [] if ledger.acked_count() else ["broken: nothing was acknowledged"]


def check(ledger, read, first=0):
    """`read`: (offset, key, data) of every stored event in offset order; the key is None if no test published it under
    one. `first`: the first offset of the log, below which retention has dropped events. Returns what is wrong, one line
    each."""
    wrong = []
    if first and not read:
        wrong.append(f"hole: the log begins at offset {first}, but nothing can be read")
    elif read and read[0][0] != first:
        wrong.append(f"hole: the log begins at offset {first}, but the first event is {read[0][0]}")
    at = {offset: key for offset, key, _ in read}
    seen = collections.Counter(key for _, key, _ in read)

    for expected, (offset, _, _) in zip(range(read[0][0] if read else 0, 1 << 62), read):
        if offset != expected:
            wrong.append(f"hole: offset {expected} is missing, {offset} follows")
            break
    for offset, key, data in read:
        entry = ledger.entries.get(key)
        if key is None:
            continue
        if entry is None:
            wrong.append(f"invented: nobody published {key!r} at offset {offset}")
        elif hashlib.sha256(data).hexdigest() != entry.digest:
            wrong.append(f"altered: {key} at offset {offset}")
    for key, entry in ledger.entries.items():
        for offset in set(entry.acked):
            if offset <= entry.behind:
                wrong.append(f"order: {key} was acknowledged at offset {offset}, though it was published after "
                             f"{entry.behind} was acknowledged")
            if offset < first:
                continue
            if key not in seen:
                wrong.append(f"lost: {key} was acknowledged at offset {offset}")
            elif at.get(offset) != key:
                wrong.append(f"moved: {key} was acknowledged at offset {offset}, which holds {at.get(offset)}")
        # With an id there is one record, whatever happened. Without, one per acknowledgement, and at most one
        # more per attempt that got no answer.
        at_most = len(entry.acked) + entry.unknown
        if entry.has_id:
            at_most = min(at_most, 1)
        if seen[key] > at_most:
            wrong.append(f"duplicate: {key} is stored {seen[key]} times, at most {at_most}")
    return wrong


def check_arrivals(ledger, arrivals, prefix, in_order):
    """`arrivals`: the keys that a listener confirmed, as they came. `in_order`: its subscription has order `all`, so that
    an event may come again, but never for the first time behind a later one."""
    came = dict.fromkeys(arrivals)
    wrong = [f"invented: nobody published {key!r}, which was delivered" for key in came if key not in ledger.entries]
    wrong += [f"undelivered: {key}" for key, entry in ledger.entries.items()
              if key.startswith(prefix) and entry.acked and key not in came]
    highest = -1
    for key in came if in_order else ():
        acked = ledger.entries[key].acked if key in ledger.entries else []
        # An event without an id that was sent again is stored twice: either may be the one that came.
        if acked and max(acked) < highest:
            wrong.append(f"order: {key} of offset {max(acked)} was delivered for the first time behind {highest}")
        highest = max(highest, min(acked, default=-1))
    return wrong
