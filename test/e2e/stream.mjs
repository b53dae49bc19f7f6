// A reader of server-sent events, as a browser's EventSource reads them: id, event, data, empty line.
export async function openStream(url, headers = {}) {
  const abort = new AbortController();
  const answer = await fetch(url, { headers: { Accept: 'text/event-stream', ...headers }, signal: abort.signal });
  const blocks = (async function* () {
    let text = '';
    for await (const chunk of answer.body) {
      text += Buffer.from(chunk).toString();
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const block = {};
        for (const line of text.slice(0, end).split('\n')) {
          const [, name, value] = /^(\w*):? ?(.*)$/.exec(line);
          block[name] = value;
        }
        text = text.slice(end + 2);
        if (block.data) yield { ...block, data: JSON.parse(block.data) };
      }
    }
  })();
  const next = async () => (await blocks.next()).value;
  return { status: answer.status, next, close: () => abort.abort() };
}
