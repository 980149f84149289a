#include "harness.h"
namespace test { void control() {} void plantedBugs() {} }
