package dev.elman.backend;

/**
 * What one direction of a layer takes on the way back, see {@link Backend#simpleRnnBackward}.
 *
 * @param forward what the way forward took, with the states that it left; x must be finite at masked steps too, for da = 0
 *     there times NaN is NaN in dWx
 * @param dh [T+1,N,H]; in: the gradient of each state as the layers above see it (0 where they do not use it); out: the
 *     slots of the steps hold da, the initial slot has gained the gradient of the initial state
 * @param dx [T,N,D], overwritten with da Wx^T; null where nobody asks
 * @param gradients added to: dWx += sum_t x_t^T da_t, dWh += sum_t (m * h_before)^T da_t, db += sum over t and rows of da
 */
public record SimpleRnnBackward(SimpleRnnForward forward, Tensor dh, Tensor dx, SimpleRnnWeights gradients) {}
