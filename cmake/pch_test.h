// The headers of every room and GoogleTest, for test binaries.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pch.h"
