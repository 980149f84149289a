// Who asked for an allocation: the Java stack, where the driver was loaded by a JVM and jni.h was there to build with.
#include "runtime.h"

namespace softgpu {

std::string callerStack() {
    return "";
}

}  // namespace softgpu
