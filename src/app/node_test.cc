#include "app/node.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <unistd.h>

namespace belfry {
namespace {

TEST(Node, IsWhatTheConfigurationSays) {
    Config config;
    config.node_name = "web-1";
    config.node_address = "10.0.0.5";
    config.consul_datacenter = "eu";
    config.http_listen = "[::1]:9000";
    const NodeIdentity node = node_identity(config);
    EXPECT_EQ(node.name, "web-1");
    EXPECT_EQ(node.id, node_id("web-1"));
    EXPECT_EQ(node.address, "10.0.0.5");
    EXPECT_EQ(node.datacenter, "eu");
    EXPECT_EQ(node.port, 9000);
}

TEST(Node, IsNamedAfterTheMachineIfNothingIsSaid) {
    std::array<char, 256> machine{};
    ASSERT_EQ(::gethostname(machine.data(), machine.size() - 1), 0);
    const NodeIdentity node = node_identity(Config{});
    EXPECT_EQ(node.name, machine.data());
    EXPECT_EQ(node.address, "127.0.0.1");
    EXPECT_EQ(node.datacenter, "dc1");
    EXPECT_EQ(node.port, 8420);
}

TEST(Node, NamesAndAddressesAreChecked) {
    EXPECT_TRUE(check_node_name("web-1.example.org"));
    for (const std::string& bad : {std::string(), std::string("a b"), std::string(256, 'a')}) {
        EXPECT_FALSE(check_node_name(bad)) << bad;
    }
    EXPECT_TRUE(check_datacenter("eu-west_1"));
    for (const char* bad : {"", "DC1", "dc 1", "dc.1"}) {
        EXPECT_FALSE(check_datacenter(bad)) << bad;
    }
    EXPECT_TRUE(check_node_address("10.0.0.5"));
    EXPECT_TRUE(check_node_address("fd00::5"));
    for (const char* bad : {"", "web-1", "10.0.0.5:80", "[::1]"}) {
        EXPECT_FALSE(check_node_address(bad)) << bad;
    }
}

TEST(Node, ServicesComeFromTheConfiguration) {
    const auto loaded = load_config(
        {.file = {},
         .environment = {},
         .flags =
             {{.flag = "--set",
               .key = "node.services",
               .value = R"([{"name":"mysql","tags":["master"]},{"id":"w2","name":"web"}])"}}}
    );
    ASSERT_TRUE(loaded);
    const auto services = configured_services(loaded->config);
    ASSERT_TRUE(services);
    ASSERT_EQ(services->size(), 2U);
    EXPECT_EQ(services->front().id, "mysql");
    EXPECT_EQ(services->back().id, "w2");
    Config few = loaded->config;
    few.limits.services = 1;
    EXPECT_EQ(
        configured_services(few).error().detail,
        "node.services: 2 services are more than limits.services"
    );
    EXPECT_TRUE(configured_services(Config{}).value().empty());
}

TEST(Node, ABadServiceIsRefusedWithItsPlace) {
    const auto loaded = load_config(
        {.file = {},
         .environment = {},
         .flags =
             {{.flag = "--set", .key = "node.services", .value = R"([{"name":"a"},{"port":1}])"}}}
    );
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().front().what, "`node.services`: \"[1]\": Missing service name");
}

TEST(Node, BadSettingsAreRefused) {
    const auto loaded = load_config(
        {.file = {},
         .environment = {},
         .flags =
             {{.flag = "--set", .key = "node.name", .value = "a b"},
              {.flag = "--set", .key = "node.address", .value = "somewhere"},
              {.flag = "--set", .key = "consul.datacenter", .value = "DC 1"}}}
    );
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().size(), 3U);
}

}  // namespace
}  // namespace belfry
