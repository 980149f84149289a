/**
 * Everything on an NVIDIA GPU: cuBLAS for the matrix products, our own PTX kernels for the rest.
 *
 * <p>The only package that knows JCuda, and of CUDA it knows the driver API and cuBLAS. One backend is one context, one
 * stream and one thread; from the upload of a minibatch to the download of its loss nothing leaves the device. May import
 * {@code backend} only.
 */
package dev.elman.cuda;
