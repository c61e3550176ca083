/* The Frechet distance of two sets of images. SPDX-License-Identifier: Apache-2.0 */
#include "frechet.h"

#include <math.h>
#include <string.h>

enum { N = FRECHET_FEATURES, SIDE = 28, TILE = 4, TILES = SIDE / TILE, SWEEPS = 30 };

void moments_add(moments *m, const float *images, int64_t n) {
    int64_t image;
    int i, j;
    for (image = 0; image < n; ++image) {
        const float *pixel = images + image * SIDE * SIDE;
        double feature[N] = {0};
        for (i = 0; i < SIDE * SIDE; ++i) feature[i / SIDE / TILE * TILES + i % SIDE / TILE] += pixel[i] / (double)(TILE * TILE);
        for (i = 0; i < N; ++i) {
            m->sum[i] += feature[i];
            for (j = 0; j <= i; ++j) m->products[i][j] += feature[i] * feature[j];
        }
    }
    m->n += n;
}

static void covariance(const moments *m, double c[N][N]) {
    const double n = (double)m->n;
    int i, j;
    for (i = 0; i < N; ++i) {
        for (j = 0; j <= i; ++j) c[i][j] = c[j][i] = m->products[i][j] / n - m->sum[i] / n * (m->sum[j] / n);
    }
}

double moments_spread(const moments *m) {
    double c[N][N], trace = 0;
    int i;
    covariance(m, c);
    for (i = 0; i < N; ++i) trace += c[i][i];
    return trace;
}

/* Turns rows and columns p and q of a so that a[p][q] is 0, and the columns of v with them. */
static void rotate(double a[N][N], double v[N][N], int p, int q) {
    const double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    const double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1)), c = 1 / sqrt(t * t + 1), s = t * c;
    int k;
    for (k = 0; k < N; ++k) {
        const double x = a[k][p], y = a[k][q];
        a[k][p] = c * x - s * y;
        a[k][q] = s * x + c * y;
    }
    for (k = 0; k < N; ++k) {
        const double x = a[p][k], y = a[q][k], vx = v[k][p], vy = v[k][q];
        a[p][k] = c * x - s * y;
        a[q][k] = s * x + c * y;
        v[k][p] = c * vx - s * vy;
        v[k][q] = s * vx + c * vy;
    }
}

/* Eigenvalues of a symmetric matrix into values, eigenvectors into the columns of v; a is used up [Jacobi 1846]. */
static void eigen(double a[N][N], double values[N], double v[N][N]) {
    int sweep, p, q;
    for (p = 0; p < N; ++p) {
        for (q = 0; q < N; ++q) v[p][q] = p == q;
    }
    for (sweep = 0; sweep < SWEEPS; ++sweep) {
        for (p = 0; p < N; ++p) {
            for (q = p + 1; q < N; ++q) {
                if (fabs(a[p][q]) > 1e-300) rotate(a, v, p, q);
            }
        }
    }
    for (p = 0; p < N; ++p) values[p] = a[p][p];
}

/* Rounding leaves eigenvalues of 0 a little below it. */
static double root(double x) {
    return x > 0 ? sqrt(x) : 0;
}

double frechet_distance(const moments *a, const moments *b) {
    static double left[N][N], right[N][N], vectors[N][N], half[N][N], product[N][N];
    double values[N], distance = moments_spread(a) + moments_spread(b);
    int i, j, k;
    covariance(a, left);
    covariance(b, right);
    eigen(left, values, vectors);
    memset(half, 0, sizeof half);
    for (i = 0; i < N; ++i) {
        for (j = 0; j < N; ++j) {
            for (k = 0; k < N; ++k) half[i][j] += vectors[i][k] * root(values[k]) * vectors[j][k];
        }
    }
    memset(product, 0, sizeof product);
    for (i = 0; i < N; ++i) {
        for (k = 0; k < N; ++k) {
            for (j = 0; j < N; ++j) product[i][j] += half[i][k] * right[k][j];
        }
    }
    memset(left, 0, sizeof left);
    for (i = 0; i < N; ++i) {
        for (k = 0; k < N; ++k) {
            for (j = 0; j < N; ++j) left[i][j] += product[i][k] * half[k][j];
        }
    }
    eigen(left, values, vectors);
    for (i = 0; i < N; ++i) {
        const double difference = a->sum[i] / (double)a->n - b->sum[i] / (double)b->n;
        distance += difference * difference - 2 * root(values[i]);
    }
    return distance;
}
