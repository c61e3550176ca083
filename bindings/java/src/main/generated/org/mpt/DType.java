// Written by generate.py from the header; do not edit.
package org.mpt;

/** Element types. */
public enum DType {
    /** "not given" where a dtype is optional */
    NONE(0),
    /** 64 bits */
    F64(1),
    /** 32 bits */
    F32(2),
    /** IEEE 754 binary16 */
    F16(3),
    /** the upper half of an f32 */
    BF16(4),
    /** 8 bits, largest value 448, no infinity: storage and operands of products */
    F8E4M3(5),
    /** 8 bits, largest value 57344: storage and operands of products */
    F8E5M2(6),
    /** signed, 8 bits */
    I8(16),
    /** signed, 16 bits */
    I16(17),
    /** signed, 32 bits */
    I32(18),
    /** signed, 64 bits */
    I64(19),
    /** unsigned, 8 bits */
    U8(20),
    /** one byte, 0 or 1 */
    BOOL(21);

    final int number;

    DType(int number) {
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

    static DType of(int number) {
        for (DType value : values()) {
            if (value.number == number) return value;
        }
        throw new IllegalArgumentException("no DType is " + number);
    }
    /**
     * The bytes of one element.
     *
     * @return the bytes; 0 for NONE
     */
    public int size() {
        return (int) org.mpt.internal.MptNative.mpt_dtype_size(number);
    }
    /**
     * The name that the library has for the type, for example bf16.
     *
     * @return the name
     */
    public String label() {
        return Text.of(org.mpt.internal.MptNative.mpt_dtype_name(number));
    }
}
