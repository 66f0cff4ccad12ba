/* One step of one example: what each cell does with its gates, forward and backward.
 *
 * A row has `padded` lanes a gate. Padded lanes hold zeros in every state. `kept` is what the way back reads:
 *   LSTM: i j f o c tanh(c); GRU: reset, update, candidate, h, and after the product the candidate's
 *   recurrent part; basic RNN: h. `before` is the same of the step before, 0 at the first. */
#ifndef TF1_LSTM_CELLS_H
#define TF1_LSTM_CELLS_H

#include "kernels.h"
#include "vector.h"

/* Rows of one example at one step of the way back. */
typedef struct {
  const float *kept, *before;
  const float *d_later;     /* derivative by h, from the later steps */
  const float *d_output;    /* derivative by this step's output; 0: none */
  float *d_c;               /* in: derivative by c after the step; out: before it */
  float *gates;             /* out: derivative by the gates, as the recurrent weights are concerned */
  float *projected;         /* out: the same, as the inputs are concerned */
  float *h_before;          /* out: the state that the recurrent weights were multiplied with */
  float *reset_h;           /* out (GRU): reset * h_before, which its candidate was multiplied with */
  float *carried;           /* out: derivative by h_before other than through the weights */
  float *extra;             /* sums of derivatives [3, padded] */
} BackRow;

INLINE vec old_h_of_lstm(const float *before, int64_t p, int64_t u) {
  if (!before) return all(0.f);
  return load(before + 3 * p + u) * load(before + 5 * p + u);
}

static void lstm_step(const Layer *l, const float *g, float *c, float *h, float *kept) {
  const int64_t p = l->padded;
  const int coupled = l->given.cell == COUPLED_LSTM, peeps = l->given.cell == PEEPHOLE_LSTM;
  const vec forget_bias = all(l->given.forget_bias);
  const float *zi = g, *zj = coupled ? g : g + p, *zf = zj + p, *zo = zf + p;
  const float *wi = l->extra, *wf = wi + p, *wo = wf + p;
  for (int64_t u = 0; u < p; u += WIDTH) {
    const vec old = load(c + u);
    vec f = load(zf + u) + forget_bias, o = load(zo + u), i;
    if (peeps) f = fma_(load(wf + u), old, f);
    f = sigmoid_(f);
    if (coupled) {
      i = all(1.f) - f;
    } else {
      i = load(zi + u);
      if (peeps) i = fma_(load(wi + u), old, i);
      i = sigmoid_(i);
    }
    const vec j = tanh_(load(zj + u));
    const vec now = fma_(old, f, i * j), seen = tanh_(now);
    if (peeps) o = fma_(load(wo + u), now, o);
    o = sigmoid_(o);
    store(c + u, now);
    store(h + u, seen * o);
    store(kept + u, i);
    store(kept + p + u, j);
    store(kept + 2 * p + u, f);
    store(kept + 3 * p + u, o);
    store(kept + 4 * p + u, now);
    store(kept + 5 * p + u, seen);
  }
}

static void lstm_back(const Layer *l, const BackRow *r) {
  const int64_t p = l->padded;
  const int coupled = l->given.cell == COUPLED_LSTM, peeps = l->given.cell == PEEPHOLE_LSTM;
  const float *wi = l->extra, *wf = wi + p, *wo = wf + p;
  const int64_t at_j = coupled ? 0 : p, at_f = at_j + p, at_o = at_f + p;
  const vec one = all(1.f);
  for (int64_t u = 0; u < p; u += WIDTH) {
    const vec i = load(r->kept + u), j = load(r->kept + p + u), f = load(r->kept + 2 * p + u);
    const vec o = load(r->kept + 3 * p + u), seen = load(r->kept + 5 * p + u);
    const vec old = r->before ? load(r->before + 4 * p + u) : all(0.f);
    vec dh = load(r->d_later + u);
    if (r->d_output) dh = dh + load(r->d_output + u);
    const vec d_o = dh * seen * (o * (one - o));
    vec dc = load(r->d_c + u) + dh * o * (one - seen * seen);
    if (peeps) dc = fma_(d_o, load(wo + u), dc);
    const vec d_j = dc * i * (one - j * j);
    vec kept_share = old;
    if (coupled) kept_share = old - j;
    const vec d_f = dc * kept_share * (f * (one - f));
    vec back = dc * f;
    if (!coupled) {
      const vec d_i = dc * j * (i * (one - i));
      if (peeps) {
        const vec now = load(r->kept + 4 * p + u);
        back = fma_(d_i, load(wi + u), fma_(d_f, load(wf + u), back));
        store(r->extra + u, fma_(d_i, old, load(r->extra + u)));
        store(r->extra + p + u, fma_(d_f, old, load(r->extra + p + u)));
        store(r->extra + 2 * p + u, fma_(d_o, now, load(r->extra + 2 * p + u)));
      }
      store(r->gates + u, d_i);
      store(r->projected + u, d_i);
    }
    store(r->gates + at_j + u, d_j);
    store(r->projected + at_j + u, d_j);
    store(r->gates + at_f + u, d_f);
    store(r->projected + at_f + u, d_f);
    store(r->gates + at_o + u, d_o);
    store(r->projected + at_o + u, d_o);
    store(r->d_c + u, back);
    store(r->carried + u, all(0.f));
    store(r->h_before + u, old_h_of_lstm(r->before, p, u));
  }
}

static void rnn_step(const Layer *l, const float *g, float *h, float *kept) {
  for (int64_t u = 0; u < l->padded; u += WIDTH) {
    const vec now = tanh_(load(g + u));
    store(h + u, now);
    store(kept + u, now);
  }
}

static void rnn_back(const Layer *l, const BackRow *r) {
  for (int64_t u = 0; u < l->padded; u += WIDTH) {
    const vec h = load(r->kept + u);
    vec dh = load(r->d_later + u);
    if (r->d_output) dh = dh + load(r->d_output + u);
    const vec d = dh * (all(1.f) - h * h);
    store(r->gates + u, d);
    store(r->projected + u, d);
    store(r->carried + u, all(0.f));
    store(r->h_before + u, r->before ? load(r->before + u) : all(0.f));
  }
}

/* GRU, before the candidate's product: g holds the gates' arguments; gives reset * h. */
static void gru_gates(const Layer *l, const float *g, const float *h, float *reset_h, float *kept) {
  const int64_t p = l->padded;
  for (int64_t u = 0; u < p; u += WIDTH) {
    const vec reset = sigmoid_(load(g + u));
    store(kept + u, reset);
    store(kept + p + u, sigmoid_(load(g + p + u)));
    store(reset_h + u, reset * load(h + u));
  }
}

INLINE void gru_new_h(float *h, float *kept, int64_t p, int64_t u, vec update, vec candidate) {
  const vec now = fma_(update, load(h + u), (all(1.f) - update) * candidate);
  store(h + u, now);
  store(kept + 2 * p + u, candidate);
  store(kept + 3 * p + u, now);
}

/* GRU, after it: g's last third holds the candidate's argument. */
static void gru_step(const Layer *l, const float *g, float *h, float *kept) {
  const int64_t p = l->padded;
  for (int64_t u = 0; u < p; u += WIDTH)
    gru_new_h(h, kept, p, u, load(kept + p + u), tanh_(load(g + 2 * p + u)));
}

/* The first half of a GRU's way back, up to the product with the candidate's weights. */
static void gru_back_candidate(const Layer *l, const BackRow *r) {
  const int64_t p = l->padded;
  const vec one = all(1.f);
  for (int64_t u = 0; u < p; u += WIDTH) {
    const vec reset = load(r->kept + u), update = load(r->kept + p + u), candidate = load(r->kept + 2 * p + u);
    const vec old = r->before ? load(r->before + 3 * p + u) : all(0.f);
    vec dh = load(r->d_later + u);
    if (r->d_output) dh = dh + load(r->d_output + u);
    const vec d_new = dh * (one - update) * (one - candidate * candidate);
    const vec d_update = dh * (old - candidate) * (update * (one - update));
    store(r->gates + p + u, d_update);
    store(r->projected + p + u, d_update);
    store(r->gates + 2 * p + u, d_new);
    store(r->projected + 2 * p + u, d_new);
    store(r->carried + u, dh * update);
    store(r->h_before + u, old);
    store(r->reset_h + u, reset * old);
  }
}

/* The second half; d_reset_h is that product. */
static void gru_back_gates(const Layer *l, const BackRow *r, const float *d_reset_h) {
  const int64_t p = l->padded;
  for (int64_t u = 0; u < p; u += WIDTH) {
    const vec reset = load(r->kept + u), d = load(d_reset_h + u);
    const vec d_reset = d * load(r->h_before + u) * (reset * (all(1.f) - reset));
    store(r->gates + u, d_reset);
    store(r->projected + u, d_reset);
    store(r->carried + u, fma_(d, reset, load(r->carried + u)));
  }
}

/* g holds the recurrent part alone, its bias included; x what was projected. Gates: update, reset, candidate. */
static void reset_after_step(const Layer *l, const float *g, const float *x, float *h, float *kept) {
  const int64_t p = l->padded;
  for (int64_t u = 0; u < p; u += WIDTH) {
    const vec update = sigmoid_(load(x + u) + load(g + u));
    const vec reset = sigmoid_(load(x + p + u) + load(g + p + u)), part = load(g + 2 * p + u);
    store(kept + u, reset);
    store(kept + p + u, update);
    store(kept + 4 * p + u, part);
    gru_new_h(h, kept, p, u, update, tanh_(fma_(reset, part, load(x + 2 * p + u))));
  }
}

static void reset_after_back(const Layer *l, const BackRow *r) {
  const int64_t p = l->padded;
  const vec one = all(1.f);
  for (int64_t u = 0; u < p; u += WIDTH) {
    const vec reset = load(r->kept + u), update = load(r->kept + p + u), candidate = load(r->kept + 2 * p + u);
    const vec old = r->before ? load(r->before + 3 * p + u) : all(0.f);
    vec dh = load(r->d_later + u);
    if (r->d_output) dh = dh + load(r->d_output + u);
    const vec d_new = dh * (one - update) * (one - candidate * candidate);
    const vec d_update = dh * (old - candidate) * (update * (one - update));
    const vec d_reset = d_new * load(r->kept + 4 * p + u) * (reset * (one - reset)), d_part = d_new * reset;
    store(r->gates + u, d_update);
    store(r->projected + u, d_update);
    store(r->gates + p + u, d_reset);
    store(r->projected + p + u, d_reset);
    store(r->gates + 2 * p + u, d_part);
    store(r->projected + 2 * p + u, d_new);
    store(r->extra + u, load(r->extra + u) + d_update);
    store(r->extra + p + u, load(r->extra + p + u) + d_reset);
    store(r->extra + 2 * p + u, load(r->extra + 2 * p + u) + d_part);
    store(r->carried + u, dh * update);
    store(r->h_before + u, old);
  }
}

#endif
