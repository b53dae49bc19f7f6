#include "hub/circuit.h"

#include <gtest/gtest.h>

namespace belfry {
namespace {

using namespace std::chrono_literals;
using Admission = Circuit::Admission;

MonoTime at(Duration since_start) {
    return MonoTime(1h) + since_start;
}

struct OpenCircuit {
    OpenCircuit() {
        for (int i = 0; i < 5; ++i) {
            opened = circuit.failed(false, at(0s), at(5s));
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
        EXPECT_FALSE(circuit.failed(false, at(0s), at(5s)));
    }
    EXPECT_FALSE(circuit.succeeded());
    for (int i = 0; i < 4; ++i) {
        EXPECT_FALSE(circuit.failed(false, at(0s), at(5s)));
    }
    EXPECT_EQ(circuit.admit(at(0s)), Admission::closed);
    EXPECT_TRUE(circuit.failed(false, at(0s), at(5s)));
    EXPECT_EQ(circuit.admit(at(0s)), Admission::refused);
}

TEST(Circuit, LetsOneProbeOutWhenTheFailedEventIsDueThenOneEveryFiveMinutes) {
    OpenCircuit open;
    ASSERT_TRUE(open.opened);
    EXPECT_EQ(open.circuit.admit(at(4s)), Admission::refused);
    EXPECT_EQ(open.circuit.admit(at(5s)), Admission::probe);
    EXPECT_EQ(open.circuit.admit(at(5s)), Admission::refused) << "one at a time";
    EXPECT_FALSE(open.circuit.failed(true, at(6s), at(300s)));
    EXPECT_EQ(open.circuit.admit(at(5s + 299s)), Admission::refused);
    EXPECT_EQ(open.circuit.admit(at(5s + 300s)), Admission::probe);
}

TEST(Circuit, LetsTheFirstProbeOutAfterAnIntervalThoughTheFailedEventIsDueMuchLater) {
    CircuitOptions options;
    Circuit circuit(options);
    for (int i = 0; i < 5; ++i) {
        circuit.failed(false, at(10s), at(5h));
    }
    EXPECT_EQ(circuit.admit(at(10s + 299s)), Admission::refused);
    EXPECT_EQ(circuit.admit(at(10s + 300s)), Admission::probe);
}

TEST(Circuit, ClosesWithTheFirstSuccess) {
    OpenCircuit open;
    EXPECT_EQ(open.circuit.admit(at(5s)), Admission::probe);
    EXPECT_TRUE(open.circuit.succeeded());
    EXPECT_EQ(open.circuit.admit(at(5s)), Admission::closed);
}

TEST(Circuit, AProbeWithoutAVerdictMakesRoomForTheNext) {
    OpenCircuit open;
    EXPECT_EQ(open.circuit.admit(at(5s)), Admission::probe);
    open.circuit.probe_abandoned();
    EXPECT_EQ(open.circuit.admit(at(306s)), Admission::probe);
}

}  // namespace
}  // namespace belfry
