/* Vectors of floats of one instruction set, and TensorFlow 1.15's tanh and sigmoid on them.
 *
 * Every operation is one IEEE operation, the same in each lane whatever the width; the compiler may not
 * contract any (-ffp-contract=off). AVX has no fused multiplication: its fma rounds twice. */
#ifndef TF1_LSTM_VECTOR_H
#define TF1_LSTM_VECTOR_H

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

#if defined(ENGINE_BUILD_AVX512)
#define WIDTH 16     /* floats in a vector */
#define TILE_ROWS 12 /* rows of a product's register tile */
#define TILE_SUMS 12 /* the same where the first factor is transposed */
typedef __m512 vec;
INLINE vec load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void store(float *p, vec v) { _mm512_storeu_ps(p, v); }
INLINE vec all(float a) { return _mm512_set1_ps(a); }
INLINE vec fma_(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vec min_(vec a, vec b) { return _mm512_min_ps(a, b); }
INLINE vec max_(vec a, vec b) { return _mm512_max_ps(a, b); }
#else
#define WIDTH 8
#define TILE_ROWS 6
#define TILE_SUMS 6
typedef __m256 vec;
INLINE vec load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void store(float *p, vec v) { _mm256_storeu_ps(p, v); }
INLINE vec all(float a) { return _mm256_set1_ps(a); }
#if defined(ENGINE_BUILD_AVX2)
INLINE vec fma_(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
#else
INLINE vec fma_(vec a, vec b, vec c) { return a * b + c; }
#endif
INLINE vec min_(vec a, vec b) { return _mm256_min_ps(a, b); }
INLINE vec max_(vec a, vec b) { return _mm256_max_ps(a, b); }
#endif

/* Cut to [-limit, limit]. The instructions return their second operand where one is NaN: NaN stays NaN. */
INLINE vec cut(vec x, float limit) { return max_(all(-limit), min_(all(limit), x)); }

/* The rational functions of Eigen, as in TensorFlow 1.15. */
INLINE vec tanh_(vec x) {
  x = cut(x, 9.f);
  const vec y = x * x;
  vec p = fma_(y, all(-2.76076847742355e-16f), all(2.00018790482477e-13f));
  p = fma_(y, p, all(-8.60467152213735e-11f));
  p = fma_(y, p, all(5.12229709037114e-08f));
  p = fma_(y, p, all(1.48572235717979e-05f));
  p = fma_(y, p, all(6.37261928875436e-04f));
  p = fma_(y, p, all(4.89352455891786e-03f));
  vec q = fma_(y, all(1.19825839466702e-06f), all(1.18534705686654e-04f));
  q = fma_(y, q, all(2.26843463243900e-03f));
  q = fma_(y, q, all(4.89352518554385e-03f));
  return x * p / q;
}

INLINE vec sigmoid_(vec x) {
  x = cut(x, 18.f);
  const vec y = x * x;
  vec p = fma_(y, all(4.37031012579801e-11f), all(1.15627324459942e-07f));
  p = fma_(y, p, all(6.08574864600143e-05f));
  p = fma_(y, p, all(8.51377133304701e-03f));
  p = fma_(y, p, all(2.48287947061529e-01f));
  vec q = fma_(y, all(6.10247389755681e-13f), all(5.76102136993427e-09f));
  q = fma_(y, q, all(6.29106785017040e-06f));
  q = fma_(y, q, all(1.70198817374094e-03f));
  q = fma_(y, q, all(1.16817656904453e-01f));
  q = fma_(y, q, all(9.93151921023180e-01f));
  return max_(all(0.f), min_(all(1.f), x * p / q + all(0.5f)));
}

#endif
