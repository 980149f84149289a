/**
 * The contract of the seam as tests: every backend passes the same checks, and the checks are shown to fail.
 *
 * <p>The checks themselves are main code, since users run them too; see {@code verify}. A backend's own test class only
 * says how it is opened.
 */
package dev.elman.contract;
