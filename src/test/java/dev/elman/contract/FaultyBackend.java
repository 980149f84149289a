package dev.elman.contract;

import dev.elman.backend.Backend;
import dev.elman.backend.IntTensor;
import dev.elman.backend.Tensor;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/**
 * A sound backend with one fault planted in it. It claims the precision of float32, so that the fault must show under the
 * tolerances that the fast backends enjoy.
 */
final class FaultyBackend implements InvocationHandler {
    private final Backend sound;
    private final Fault fault;
    private Object memory;
    private Object answer;

    private FaultyBackend(Backend sound, Fault fault) {
        this.sound = sound;
        this.fault = fault;
    }

    /** With {@code fault} null nothing is wrong but the claim. */
    static Backend of(Backend sound, Fault fault) {
        ClassLoader loader = FaultyBackend.class.getClassLoader();
        Class<?>[] types = {Backend.class};
        return (Backend) Proxy.newProxyInstance(loader, types, new FaultyBackend(sound, fault));
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
        if (method.getName().equals("unitRoundoff")) return 0x1p-24;
        Object[] given = arguments == null ? new Object[0] : arguments;
        Call call = new Call(method, given);
        if (fault == null || !fault.operations().contains(method.getName())) return call.proceed();
        answer = null;
        fault.mistake().make(call);
        return answer;
    }

    /** One call on its way to the sound backend; a fault may change it, and what comes of it. */
    final class Call {
        private final Method method;
        private final Object[] arguments;

        private Call(Method method, Object[] arguments) {
            this.method = method;
            this.arguments = arguments;
        }

        Backend sound() {
            return sound;
        }

        String operation() {
            return method.getName();
        }

        <A> A argument(int index, Class<A> type) {
            return type.cast(arguments[index]);
        }

        Tensor tensor(int index) {
            return argument(index, Tensor.class);
        }

        IntTensor ints(int index) {
            return argument(index, IntTensor.class);
        }

        Call with(int index, Object argument) {
            Object[] changed = arguments.clone();
            changed[index] = argument;
            return new Call(method, changed);
        }

        /** What the fault left here at an earlier call, or null. */
        Object memory() {
            return memory;
        }

        void remember(Object something) {
            memory = something;
        }

        Object proceed() throws Throwable {
            try {
                answer = method.invoke(sound, arguments);
                return answer;
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }
    }
}
