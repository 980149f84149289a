#include "harness.h"
namespace test { void control() {} }
