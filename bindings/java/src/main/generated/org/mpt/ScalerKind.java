// Written by generate.py from the header; do not edit.
package org.mpt;

/** How a loss scaler moves its scale. */
public enum ScalerKind {
    /** never moves; non-finite gradients still skip the step */
    STATIC(0),
    /** [torch.amp.GradScaler] */
    TORCH(1),
    /** backs off only from the hysteresis-th bad iteration in a row on [apex] */
    HYSTERESIS(2),
    /** every bad iteration beyond the hysteresis backs off until the next growth [Megatron-LM] */
    MEGATRON(3);

    final int number;

    ScalerKind(int number) {
        this.number = number;
    }

    /**
     * The number that mpt.h has for it.
     *
     * @return the number
     */
    public int number() {
        return number;
    }

    static ScalerKind of(int number) {
        for (ScalerKind value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no ScalerKind is " + number);
    }
}
