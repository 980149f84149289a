/**
 * Everything on an NVIDIA GPU: our own PTX kernels, and cuBLAS for the matrix products where it is.
 *
 * <p>The only package that knows JCuda, and of CUDA it knows the driver API and cuBLAS. One backend is one context, one
 * stream and one thread; from the upload of a minibatch to the download of its loss nothing leaves the device but, where
 * a mask saves much, the number of its live rows. May import {@code backend} only.
 */
package dev.elman.cuda;
