package dev.elman.contract;

import dev.elman.backend.Backend;
import dev.elman.backend.Shape;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.function.Consumer;

/** A backend whose calls go by way of a test. */
public final class Intercepted {
    private Intercepted() {}

    /** What a call comes to; it is made only if the test lets it {@link Call#proceed}. */
    public interface Interceptor {
        Object answer(Call call) throws Throwable;
    }

    public static Backend of(Backend backend, Interceptor interceptor) {
        return (Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(),
                new Class<?>[] {Backend.class},
                (proxy, method, arguments) -> interceptor.answer(new Call(backend, method, arguments)));
    }

    /** One that tells what it is about to allocate. */
    public static Backend allocating(Backend backend, Consumer<Shape> allocation) {
        return of(backend, call -> {
            if (call.operation().startsWith("allocate")) allocation.accept(call.argument(0, Shape.class));
            return call.proceed();
        });
    }

    /** One call on its way to the backend. */
    public static final class Call {
        private final Backend backend;
        private final Method method;
        private final Object[] arguments;

        private Call(Backend backend, Method method, Object[] arguments) {
            this.backend = backend;
            this.method = method;
            this.arguments = arguments;
        }

        public String operation() {
            return method.getName();
        }

        /** Whether it gives no answer, as what computes does. */
        public boolean isVoid() {
            return method.getReturnType() == void.class;
        }

        public <A> A argument(int index, Class<A> type) {
            return type.cast(arguments[index]);
        }

        public Object proceed() throws Throwable {
            try {
                return method.invoke(backend, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }
    }
}
