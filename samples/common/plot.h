/* Line plots as SVG, in panels side by side. SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_PLOT_H
#define SAMPLES_PLOT_H

typedef struct plot_series {
    const char *name;
    const char *colour;  /* of SVG, for example "#1f77b4" */
    const double *x, *y; /* points that are not finite are left out */
    int n;
} plot_series;

typedef struct plot_panel {
    const char *title, *x_label, *y_label;
    const plot_series *series;
    int n_series;
    int whole_x; /* 1: x counts something; ticks at whole numbers only */
} plot_panel;

/* Writes the file; returns 0, or -1 with errno. */
int plot_write_svg(const char *path, const char *title, const plot_panel *panels, int n_panels);

#endif
