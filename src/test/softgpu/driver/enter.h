// The start of the calls on streams, events and graphs.
#pragma once

#include "runtime.h"

#define ENTER                              \
    Call call;                             \
    if (call.error) {                      \
        return call.error;                 \
    }                                      \
    Runtime& r = Runtime::instance();      \
    (void)r
