// The hub's side of /subscriptions: documents change in the catalog, deliveries follow.
#include "base/base64.h"
#include "base/rfc3339.h"
#include "hub/hub_impl.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace belfry {

namespace {

// Standard Webhooks 1.0, "Signature scheme": 24 to 64 random bytes, base64 after the prefix.
std::string new_secret(Rng& rng) {
    std::array<char, 32> bytes{};
    rng.fill(std::as_writable_bytes(std::span(bytes)));
    std::string text = "whsec_";
    append_base64(text, std::string_view(bytes.data(), bytes.size()));
    return text;
}

std::uint32_t duration_ms(MonoTime from, MonoTime to) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count()
    );
}

}  // namespace

Result<Subscription> Hub::Impl::document(const SubscriptionKey& key) const {
    const Subscription* subscription = ports.catalog.find(key);
    if (subscription == nullptr) {
        return fail(
            Errc::not_found, "no subscription named '" + key.substr(key.find('/') + 1) + "'"
        );
    }
    return *subscription;
}

void Hub::Impl::resolve_start(
    const Subscription& subscription, std::move_only_function<void(Result<Offset>)> done
) {
    Log& log = ports.log;
    if (std::holds_alternative<StartNew>(subscription.start)) {
        done(log.next_offset());
    } else if (std::holds_alternative<StartEarliest>(subscription.start)) {
        done(log.first_offset());
    } else if (const Offset* offset = std::get_if<Offset>(&subscription.start)) {
        done(std::clamp(*offset, log.first_offset(), log.next_offset()));
    } else {
        start_searches.find(
            subscription.tenant, std::get<WallTime>(subscription.start), std::move(done)
        );
    }
}

// Where it begins is decided before the document is stored, which may take its time or be refused:
// meanwhile nobody else may create one of that name.
void Hub::create_subscription(Subscription subscription, Catalog::Done done) {
    Result<std::unique_ptr<Sink>> sink = impl_->ports.make_sink(subscription);
    if (!sink) {
        done(std::unexpected(sink.error()));
        return;
    }
    const SubscriptionKey key = subscription.key();
    if (impl_->ports.catalog.find(key) != nullptr) {
        done(fail(Errc::conflict, "a subscription named '" + subscription.name + "' exists"));
        return;
    }
    if (!impl_->being_created.insert(key).second) {
        done(fail(
            Errc::conflict, "a subscription named '" + subscription.name + "' is being created"
        ));
        return;
    }
    Subscription asked = subscription;
    impl_->resolve_start(
        asked,
        [this, subscription = std::move(subscription), done = std::move(done)](Result<Offset> start
        ) mutable {
            if (!start) {
                impl_->being_created.erase(subscription.key());
                done(std::unexpected(start.error()));
                return;
            }
            impl_->create_at(subscription, *start, std::move(done));
        }
    );
}

// The document first, then the cursor: only when both are durable is the subscription answered.
void Hub::Impl::create_at(const Subscription& subscription, Offset start, Catalog::Done done) {
    if (!std::holds_alternative<StartNew>(subscription.start)) {
        deliveries.set_start(subscription.key(), start);
    }
    ports.catalog.create(
        subscription,
        [this, key = subscription.key(), done = std::move(done)](Result<Subscription> created
        ) mutable {
            being_created.erase(key);
            if (!created) {
                deliveries.drop_start(key);
                done(std::move(created));
                return;
            }
            writer.try_flush([done = std::move(done),
                              created = std::move(created)](Result<void> saved) mutable {
                done(saved ? std::move(created) : std::unexpected(saved.error()));
            });
        }
    );
}

void Hub::replace_subscription(Subscription subscription, Expect expect, Catalog::Done done) {
    Result<std::unique_ptr<Sink>> sink = impl_->ports.make_sink(subscription);
    if (!sink) {
        done(std::unexpected(sink.error()));
        return;
    }
    const Subscription* known = impl_->ports.catalog.find(subscription.key());
    if (known != nullptr && known->state == SubscriptionState::paused) {
        subscription.state = SubscriptionState::paused;  // a new document is no resume
    }
    impl_->ports.catalog.replace(std::move(subscription), expect, std::move(done));
}

void Hub::remove_subscription(
    const SubscriptionKey& key, Expect expect, std::move_only_function<void(Result<void>)> done
) {
    impl_->ports.catalog
        .remove(key, expect, [this, done = std::move(done)](Result<void> removed) mutable {
            if (!removed) {
                done(std::move(removed));
                return;
            }
            impl_->writer.try_flush(std::move(done));
        });
}

void Hub::set_subscription_state(
    const SubscriptionKey& key, SubscriptionState state, Catalog::Done done
) {
    Result<Subscription> subscription = impl_->document(key);
    if (!subscription) {
        done(std::move(subscription));
        return;
    }
    subscription->state = state;
    subscription->reason.clear();
    Expect unchanged{.kind = Expect::Kind::revision, .revision = subscription->revision};
    impl_->ports.catalog.replace(std::move(*subscription), unchanged, std::move(done));
}

void Hub::rotate_secret(
    const SubscriptionKey& key,
    SecretRotation rotation,
    std::move_only_function<void(Result<RotatedSecret>)> done
) {
    Result<Subscription> subscription = impl_->document(key);
    if (!subscription) {
        done(std::unexpected(subscription.error()));
        return;
    }
    auto* webhook = std::get_if<WebhookSink>(&subscription->sink);
    if (webhook == nullptr) {
        done(fail(Errc::bad_request, "only webhook subscriptions have a secret"));
        return;
    }
    const WallTime now = impl_->ports.clock.wall();
    end_overlap(*subscription, now);
    if (webhook->secrets.size() > 1 && !rotation.force) {
        done(fail(
            Errc::conflict,
            "two secrets sign until " + rfc3339(*webhook->previous_until) +
                "; rotate after that, or with `force`, which ends the older one at once"
        ));
        return;
    }
    RotatedSecret rotated{.secret = new_secret(impl_->ports.rng)};
    const bool overlaps = !webhook->secrets.empty() && rotation.overlap.count() > 0;
    webhook->secrets.resize(overlaps ? 1 : 0);
    webhook->secrets.insert(webhook->secrets.begin(), rotated.secret);
    if (overlaps) {
        rotated.previous_until = now + rotation.overlap;
    }
    webhook->previous_until = rotated.previous_until;
    Expect unchanged{.kind = Expect::Kind::revision, .revision = subscription->revision};
    impl_->ports.catalog.replace(
        std::move(*subscription),
        unchanged,
        [rotated = std::move(rotated),
         done = std::move(done)](Result<Subscription> result) mutable {
            if (!result) {
                done(std::unexpected(result.error()));
                return;
            }
            done(std::move(rotated));
        }
    );
}

Result<SubscriptionStatus> Hub::subscription_status(const SubscriptionKey& key) const {
    const Delivery* delivery = impl_->deliveries.find(key);
    if (delivery == nullptr) {
        return fail(
            Errc::not_found, "no subscription named '" + key.substr(key.find('/') + 1) + "'"
        );
    }
    Delivery::Figures figures = delivery->figures();
    return SubscriptionStatus{
        .cursor = delivery->cursor_row().cursor,
        .pending = impl_->ports.log.next_offset() - delivery->position(),
        .retrying = figures.retrying,
        .in_flight = figures.in_flight,
        .dead = figures.dead,
        .settled = figures.settled,
        .failed = figures.failed,
        .state = delivery->subscription().state,
        .circuit_open = figures.circuit_open,
        .last_error = figures.last_error,
    };
}

void Hub::test_subscription(
    const SubscriptionKey& key, std::move_only_function<void(Result<AttemptRecord>)> done
) {
    Delivery* delivery = impl_->deliveries.find(key);
    if (delivery == nullptr) {
        done(fail(Errc::not_found, "no subscription named '" + key.substr(key.find('/') + 1) + "'")
        );
        return;
    }
    Clock& clock = impl_->ports.clock;
    StoredEvent event;
    event.event.source = "/belfry/test";
    event.event.type = "belfry.test";
    event.event.datacontenttype = "application/json";
    event.event.data = R"({"test":true})";
    event.recorded = clock.wall();
    event.offset = impl_->ports.log.next_offset();
    event.uuid_low = impl_->ports.rng.next();
    AttemptRecord record{.event_id = event.id(), .offset = event.offset, .at = event.recorded};
    // The sink is kept until it answers, whatever becomes of the subscription.
    std::shared_ptr<Sink> sink = delivery->sink();
    Sink& tested = *sink;
    tested.attempt(
        Attempt{.event = std::move(event), .timeout = delivery->subscription().delivery.timeout},
        [&clock, sink, began = clock.now(), record = std::move(record), done = std::move(done)](
            Outcome outcome
        ) mutable {
            record.duration_ms = duration_ms(began, clock.now());
            record.outcome = outcome.kind;
            record.status = outcome.status;
            record.error = std::move(outcome.error);
            record.response = std::move(outcome.response);
            done(std::move(record));
        }
    );
}

void Hub::list_attempts(
    const SubscriptionKey& key,
    std::optional<Offset> event,
    std::move_only_function<void(Result<std::vector<AttemptRecord>>)> done
) {
    const Delivery* delivery = impl_->deliveries.find(key);
    if (delivery == nullptr) {
        done(fail(Errc::not_found, "no subscription named '" + key.substr(key.find('/') + 1) + "'")
        );
        return;
    }
    std::vector<AttemptRecord> records;
    delivery->history().for_each([&](const SettledAttempt& attempt) {
        if (event && attempt.offset != *event) {
            return;
        }
        UuidText id = uuid_text(attempt.event);
        records.push_back(AttemptRecord{
            .event_id = std::string(id.data(), id.size()),
            .offset = attempt.offset,
            .attempt = attempt.attempt,
            .at = attempt.at,
            .duration_ms = attempt.duration_ms,
            .outcome = Outcome::Kind::settled,
            .status = attempt.status,
        });
    });
    impl_->writer.try_flush(
        [this, key, event, records = std::move(records), done = std::move(done)](Result<void> saved
        ) mutable {
            if (!saved) {
                done(std::unexpected(saved.error()));
                return;
            }
            impl_->ports.state.list_attempts(
                key,
                event,
                [records = std::move(records),
                 done = std::move(done)](Result<std::vector<AttemptRow>> rows) mutable {
                    if (!rows) {
                        done(std::unexpected(rows.error()));
                        return;
                    }
                    for (AttemptRow& row : *rows) {
                        UuidText id = uuid_text(event_uuid(row.uuid_low, row.offset));
                        records.push_back(AttemptRecord{
                            .event_id = std::string(id.data(), id.size()),
                            .offset = row.offset,
                            .attempt = row.attempt,
                            .at = row.at,
                            .duration_ms = row.duration_ms,
                            .outcome = Outcome::Kind::failed,
                            .status = row.status,
                            .error = std::move(row.error),
                            .response = std::move(row.response),
                            .next_at = row.next_at,
                        });
                    }
                    std::ranges::sort(records, std::greater{}, [](const AttemptRecord& record) {
                        return std::tuple(record.at, record.offset, record.attempt);
                    });
                    done(std::move(records));
                }
            );
        }
    );
}

}  // namespace belfry
