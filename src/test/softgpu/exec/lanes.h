// Loops over the 32 lanes of a warp, written so that the compiler turns them into vector instructions.
#pragma once

#include "machine.h"

#include <cstring>
#include <type_traits>

namespace softgpu {

// Types below 32 bits live zero-extended in a 32-bit slot.
template <class T>
using Slot = std::conditional_t<(sizeof(T) >= 4), T, uint32_t>;

template <class T>
inline Slot<T>* slot(Machine& m, uint32_t offset) {
    return reinterpret_cast<Slot<T>*>(m.registers + offset);
}

inline uint32_t& predicate(Machine& m, uint32_t offset) {
    return *reinterpret_cast<uint32_t*>(m.registers + offset);
}

template <class T>
inline Slot<T> widen(T v) {
    if constexpr (sizeof(T) >= 4) {
        return v;
    } else {
        return uint32_t(std::make_unsigned_t<T>(v));
    }
}

template <class S>
inline void blend(S* d, const S* r, uint32_t lanes) {
    if (lanes == 0xffffffffu) {
        memcpy(d, r, sizeof(S) * LANES);
    } else {
        for (int i = 0; i < LANES; i++) {
            d[i] = lanes >> i & 1 ? r[i] : d[i];
        }
    }
}

// d[i] = f(i) for the lanes of the mask; f is computed of all of them and must not trap. Registers are at the same place or far
// apart, see `liveness`, so that with all lanes nothing has to be kept back until the last one was read.
template <class S, class F>
inline void eachLane(S* d, uint32_t lanes, F f) {
    if (lanes == ~0u) {
#pragma GCC ivdep
        for (int i = 0; i < LANES; i++) {
            d[i] = f(i);
        }
        return;
    }
    alignas(64) S r[LANES];
    for (int i = 0; i < LANES; i++) {
        r[i] = f(i);
    }
    blend(d, r, lanes);
}

// d = F(a), F(a, b), F(a, b, c).
template <class D, class A, class F>
void unary(Machine& m, const Op& op, uint32_t lanes) {
    const Slot<A>* a = slot<A>(m, op.a);
    eachLane(slot<D>(m, op.d), lanes, [=](int i) { return widen<D>(F::apply(A(a[i]))); });
}

template <class D, class A, class B, class F>
void binary(Machine& m, const Op& op, uint32_t lanes) {
    const Slot<A>* a = slot<A>(m, op.a);
    const Slot<B>* b = slot<B>(m, op.b);
    eachLane(slot<D>(m, op.d), lanes, [=](int i) { return widen<D>(F::apply(A(a[i]), B(b[i]))); });
}

template <class D, class A, class B, class C, class F>
void ternary(Machine& m, const Op& op, uint32_t lanes) {
    const Slot<A>* a = slot<A>(m, op.a);
    const Slot<B>* b = slot<B>(m, op.b);
    const Slot<C>* c = slot<C>(m, op.c);
    eachLane(slot<D>(m, op.d), lanes, [=](int i) { return widen<D>(F::apply(A(a[i]), B(b[i]), C(c[i]))); });
}

template <class To, class From>
inline To bitCast(From f) {
    static_assert(sizeof(To) == sizeof(From), "same size");
    To t;
    memcpy(&t, &f, sizeof t);
    return t;
}

// Calls f(lane) for each lane of the mask.
template <class F>
inline void forLanes(uint32_t lanes, F f) {
    for (; lanes; lanes &= lanes - 1) {
        f(__builtin_ctz(lanes));
    }
}

}  // namespace softgpu
