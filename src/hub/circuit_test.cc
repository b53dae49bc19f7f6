#include "hub/circuit.h"

#include "hub/delivery.h"

#include <gtest/gtest.h>

#include <array>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using Turn = Circuit::Turn;

MonoTime at(Duration since_start) {
    return MonoTime(1h) + since_start;
}

// Two deliveries to tell apart; a circuit looks into none.
Delivery& prober(std::size_t which = 0) {
    struct alignas(Delivery) Place {
        std::array<std::byte, sizeof(Delivery)> bytes;
    };
    static std::array<Place, 2> places{};
    return reinterpret_cast<Delivery&>(places.at(which));
}

struct OpenCircuit {
    OpenCircuit() {
        for (int i = 0; i < 5; ++i) {
            opened = circuit.failed(at(0s), 5s);
        }
    }
    CircuitOptions options;
    Circuit circuit{options};
    bool opened = false;
};

TEST(Circuit, OpensAfterFiveFailuresInARowAndNotBefore) {
    CircuitOptions options;
    Circuit circuit(options);
    for (int i = 0; i < 4; ++i) {
        EXPECT_FALSE(circuit.failed(at(0s), 5s));
    }
    EXPECT_FALSE(circuit.succeeded());
    for (int i = 0; i < 4; ++i) {
        EXPECT_FALSE(circuit.failed(at(0s), 5s));
    }
    EXPECT_FALSE(circuit.open());
    EXPECT_TRUE(circuit.failed(at(0s), 5s));
    EXPECT_TRUE(circuit.open());
}

TEST(Circuit, LetsOneProbeOutWhenTheFailedEventIsDueThenOneEveryFiveMinutes) {
    OpenCircuit open;
    ASSERT_TRUE(open.opened);
    EXPECT_FALSE(open.circuit.take_probe(prober(), Turn::failed, at(4s)));
    EXPECT_TRUE(open.circuit.take_probe(prober(), Turn::failed, at(5s)));
    EXPECT_FALSE(open.circuit.take_probe(prober(), Turn::failed, at(5s))) << "one at a time";
    open.circuit.probe_ended(prober());
    EXPECT_FALSE(open.circuit.take_probe(prober(), Turn::failed, at(5s + 299s)));
    EXPECT_TRUE(open.circuit.take_probe(prober(), Turn::failed, at(5s + 300s)));
}

TEST(Circuit, LetsTheFirstProbeOutAfterAnIntervalThoughTheFailedEventIsDueMuchLater) {
    CircuitOptions options;
    Circuit circuit(options);
    for (int i = 0; i < 5; ++i) {
        circuit.failed(at(10s), 5h);
    }
    EXPECT_FALSE(circuit.take_probe(prober(), Turn::failed, at(10s + 299s)));
    EXPECT_TRUE(circuit.take_probe(prober(), Turn::failed, at(10s + 300s)));
}

TEST(Circuit, ClosesWithTheFirstSuccess) {
    OpenCircuit open;
    EXPECT_TRUE(open.circuit.take_probe(prober(), Turn::failed, at(5s)));
    EXPECT_TRUE(open.circuit.succeeded());
    EXPECT_FALSE(open.circuit.open());
}

TEST(Circuit, MakesRoomForTheNextProbeWhenThatOneEndedAndNoOther) {
    OpenCircuit open;
    ASSERT_TRUE(open.circuit.take_probe(prober(0), Turn::failed, at(5s)));
    open.circuit.probe_ended(prober(1));
    EXPECT_FALSE(open.circuit.take_probe(prober(1), Turn::failed, at(306s)));
    open.circuit.probe_ended(prober(0));
    EXPECT_TRUE(open.circuit.take_probe(prober(1), Turn::failed, at(306s)));
    open.circuit.probe_ended(prober(0));
    EXPECT_FALSE(open.circuit.take_probe(prober(0), Turn::failed, at(900s)));
}

TEST(Circuit, GivesTheTurnToTheOthers) {
    OpenCircuit open;
    Circuit& circuit = open.circuit;
    circuit.deliveries = {&prober(0), &prober(1)};
    const std::vector<Delivery*> before = circuit.deliveries;
    EXPECT_EQ(circuit.turn(), Turn::failed);
    ASSERT_TRUE(circuit.take_probe(prober(0), Turn::failed, at(5s)));
    circuit.probe_ended(prober(0));
    EXPECT_EQ(circuit.turn(), Turn::first);
    ASSERT_TRUE(circuit.take_probe(prober(0), Turn::failed, at(305s)));
    circuit.probe_ended(prober(0));
    EXPECT_EQ(circuit.turn(), Turn::first) << "there was none";
    EXPECT_EQ(circuit.deliveries, before);
    ASSERT_TRUE(circuit.take_probe(prober(0), Turn::first, at(605s)));
    EXPECT_EQ(circuit.turn(), Turn::failed);
    EXPECT_EQ(circuit.deliveries, (std::vector{&prober(1), &prober(0)}));
}

}  // namespace
}  // namespace belfry
