// Who asked for an allocation: the Java stack, where the driver was loaded by a JVM and jni.h was there to build with.
#include "runtime.h"

#include <cstdlib>

#ifdef SOFTGPU_JNI
#include <dlfcn.h>
#include <jni.h>
#endif

namespace softgpu {

#ifdef SOFTGPU_JNI

namespace {

// The JVM is in this process already or there is none; it is looked up, never loaded.
JNIEnv* environment() {
    using Find = jint (*)(JavaVM**, jsize, jsize*);
    static Find find = (Find)dlsym(RTLD_DEFAULT, "JNI_GetCreatedJavaVMs");
    JavaVM* vm = nullptr;
    jsize n = 0;
    if (!find || find(&vm, 1, &n) != JNI_OK || n == 0) {
        return nullptr;
    }
    void* env = nullptr;
    return vm->GetEnv(&env, JNI_VERSION_1_8) == JNI_OK ? (JNIEnv*)env : nullptr;
}

// The frames above JCuda's own, the first few.
std::string stackOf(JNIEnv* env) {
    constexpr int FRAMES = 10;
    jclass throwable = env->FindClass("java/lang/Throwable"), element = env->FindClass("java/lang/StackTraceElement");
    jobject here = env->NewObject(throwable, env->GetMethodID(throwable, "<init>", "()V"));
    auto stack = (jobjectArray)env->CallObjectMethod(
        here, env->GetMethodID(throwable, "getStackTrace", "()[Ljava/lang/StackTraceElement;"));
    jmethodID toString = env->GetMethodID(element, "toString", "()Ljava/lang/String;");
    std::string out;
    int taken = 0;
    for (jsize k = 0; stack && k < env->GetArrayLength(stack) && taken < FRAMES; k++) {
        auto text = (jstring)env->CallObjectMethod(env->GetObjectArrayElement(stack, k), toString);
        const char* c = env->GetStringUTFChars(text, nullptr);
        std::string frame = c;
        env->ReleaseStringUTFChars(text, c);
        if (frame.rfind("jcuda.", 0) != 0) {
            out += (taken++ ? " < " : "") + frame;
        }
    }
    return out;
}

}  // namespace

std::string callerStack() {
    static const bool wanted = getenv("SOFTGPU_NO_STACKS") == nullptr;
    JNIEnv* env = wanted ? environment() : nullptr;
    if (!env || env->ExceptionCheck() || env->PushLocalFrame(64) != 0) {
        return "";
    }
    std::string stack = stackOf(env);
    if (env->ExceptionCheck()) {
        env->ExceptionClear();
        stack.clear();
    }
    env->PopLocalFrame(nullptr);
    return stack;
}

#else

std::string callerStack() {
    return "";
}

#endif

}  // namespace softgpu
