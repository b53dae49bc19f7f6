#include "hub/hub.h"

#include "base/logging.h"
#include "hub/hub_impl.h"

namespace belfry {

Hub::Impl::Impl(HubPorts hub_ports, HubOptions hub_options, const Limits& hub_limits)
    : ports(std::move(hub_ports)),
      options(hub_options),
      limits(hub_limits),
      writer(ports.clock, ports.state),
      deliveries(
          Deliveries::Ports{
              .clock = ports.clock,
              .rng = ports.rng,
              .log = ports.log,
              .writer = writer,
              .make_sink = ports.make_sink,
              .disable =
                  [this](const SubscriptionKey& key, const std::string& reason) {
                      Result<Subscription> subscription = document(key);
                      if (!subscription || subscription->state == SubscriptionState::disabled) {
                          return;  // it was removed meanwhile, or this was heard already
                      }
                      subscription->state = SubscriptionState::disabled;
                      subscription->reason = reason;
                      // Whoever changes it at this moment knows better. The event waits, and the
                      // next answer of this kind comes here again.
                      const Expect unchanged{
                          .kind = Expect::Kind::revision, .revision = subscription->revision
                      };
                      ports.catalog.replace(
                          std::move(*subscription),
                          unchanged,
                          [key, reason](const Result<Subscription>& disabled) {
                              if (disabled) {
                                  log_warn(
                                      "subscription disabled",
                                      {{"subscription", key}, {"reason", reason}}
                                  );
                              } else if (disabled.error().code != Errc::precondition_failed &&
                                         disabled.error().code != Errc::not_found) {
                                  log_error(
                                      "subscription cannot be disabled",
                                      {{"subscription", key},
                                       {"reason", reason},
                                       {"detail", disabled.error().detail}}
                                  );
                              }
                          }
                      );
                  },
          },
          options.circuit
      ),
      dead_letters(ports.rng, ports.state, writer, deliveries),
      retention(ports.clock, ports.log, deliveries, writer, options.retention),
      start_searches(ports.clock, ports.log) {
    writer.before_commit([this](StateChanges& changes) { deliveries.gather(changes); });
    writer.on_disk_full([this](std::string reason) { ports.log.disk_is_full(std::move(reason)); });
    ports.log.on_durable([this](Offset first, Offset next) { durable(first, next); });
}

Hub::Impl::~Impl() {
    ports.clock.cancel(stop_timer);
}

void Hub::Impl::durable(Offset first, Offset next) {
    deliveries.durable(first, next);
    for (auto at = readers.begin(); at != readers.end();) {
        auto reader = at++;  // a reader may remove itself
        reader->second(first, next);
    }
}

Hub::Hub(HubPorts ports, HubOptions options, const Limits& limits)
    : impl_(std::make_unique<Impl>(std::move(ports), options, limits)) {}

Hub::~Hub() = default;

void Hub::start(std::move_only_function<void(Result<void>)> done) {
    Result<StateSnapshot> snapshot = impl_->ports.state.load();
    if (!snapshot) {
        done(std::unexpected(std::move(snapshot.error())));
        return;
    }
    impl_->deliveries.restore(std::move(*snapshot));
    impl_->ports.state.count_dead_letters([this, done = std::move(done)](auto counts) mutable {
        if (counts) {
            impl_->deliveries.set_dead_counts(*counts);
        } else {
            log_error("dead letters cannot be counted", {{"detail", counts.error().detail}});
        }
        impl_->ports.catalog.start(
            [this](const SubscriptionKey& key, const Subscription* subscription) {
                impl_->deliveries.changed(key, subscription);
            },
            [this, done = std::move(done)](Result<void> heard) mutable {
                if (heard) {
                    impl_->ready = true;
                    impl_->deliveries.begin();
                    impl_->retention.start();
                }
                done(std::move(heard));
            }
        );
    });
}

// No new attempts; those under way get stop_wait; what did not end is kept as exceptions; all is
// saved.
void Hub::stop(Task done) {
    impl_->stopping = true;
    impl_->retention.stop();
    impl_->start_searches.stop();
    // Whichever comes first: all attempts ended, or the wait is over.
    auto once = std::make_shared<Task>(std::move(done));
    auto finish = [this, once] {
        if (!*once) {
            return;
        }
        Task stopped = std::exchange(*once, nullptr);
        impl_->ports.clock.cancel(impl_->stop_timer);
        impl_->stop_now(std::move(stopped));
    };
    impl_->stop_timer = impl_->ports.clock.call_after(impl_->options.stop_wait, finish);
    impl_->deliveries.stop(finish);
}

void Hub::Impl::stop_now(Task done) {
    deliveries.save_under_way();
    // A disk that takes nothing must not keep the program from ending: the state on disk is older
    // then.
    auto once = std::make_shared<Task>(std::move(done));
    auto finish = [this, once] {
        if (*once) {
            ports.clock.cancel(stop_timer);
            std::exchange(*once, nullptr)();
        }
    };
    stop_timer = ports.clock.call_after(options.stop_wait, [finish] {
        log_error(
            "delivery state could not be saved before the stop; some events will be sent again"
        );
        finish();
    });
    writer.flush(finish);
}

std::uint64_t Hub::add_reader(Reader reader) {
    impl_->readers.emplace(++impl_->last_reader, std::move(reader));
    return impl_->last_reader;
}

void Hub::remove_reader(std::uint64_t number) {
    impl_->readers.erase(number);
}

Log& Hub::log() {
    return impl_->ports.log;
}

HubStatus Hub::status() const {
    LogStatus log = impl_->ports.log.status();
    const DeliveryCounters& counters = impl_->deliveries.counters();
    HubStatus status{
        .published = log.appended,
        .duplicates = log.duplicates,
        .delivered = counters.settled,
        .failed_attempts = counters.failed_attempts,
        .dead_lettered = counters.dead_lettered,
        .exhausted = counters.exhausted,
        .expired = impl_->retention.expired(),
        .attempts = counters.attempts,
        .lag = counters.lag,
        .subscriptions = impl_->deliveries.size(),
        .open_circuits = impl_->deliveries.open_circuits(),
        .ready = impl_->ready && !impl_->stopping && !log.read_only && !log.disk_full &&
                 !impl_->writer.is_failing(),
    };
    if (!impl_->ready) {
        status.reason = "starting";
    } else if (impl_->stopping) {
        status.reason = "stopping";
    } else if (!log.reason.empty()) {
        status.reason = log.reason;
    } else if (impl_->writer.is_failing()) {
        status.reason = "state_not_saved";
    }
    return status;
}

const PublishCounts& Hub::published() const {
    return impl_->published;
}

void Hub::list_dead_letters(
    const Caller& caller,
    DeadLetterQuery query,
    std::move_only_function<void(Result<DeadLetterPage>)> done
) {
    impl_->dead_letters.list(caller, std::move(query), std::move(done));
}

void Hub::replay_dead_letter(
    const Caller& caller, std::string id, std::move_only_function<void(Result<std::string>)> done
) {
    impl_->dead_letters.replay(caller, std::move(id), std::move(done));
}

void Hub::replay_dead_letters(
    const Caller& caller,
    DeadLetterQuery query,
    std::move_only_function<void(Result<std::pair<std::string, std::uint64_t>>)> done
) {
    impl_->dead_letters.replay_all(caller, std::move(query), std::move(done));
}

void Hub::oldest_dead_letter(std::move_only_function<void(Result<std::optional<WallTime>>)> done) {
    impl_->ports.state.oldest_dead_letter(std::move(done));
}

void Hub::purge_dead_letter(
    const Caller& caller, std::string id, std::move_only_function<void(Result<void>)> done
) {
    impl_->dead_letters.purge(caller, std::move(id), std::move(done));
}

}  // namespace belfry
