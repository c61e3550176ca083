// Written by generate.py from the header; do not edit.
package org.mpt;

/** Element types. */
public enum DType {
    /** "not given" where a dtype is optional */
    NONE(0),
    /** The library's {@code DType.F64}. */
    F64(1),
    /** The library's {@code DType.F32}. */
    F32(2),
    /** IEEE 754 binary16 */
    F16(3),
    /** the upper half of an f32 */
    BF16(4),
    /** 8 bits, largest value 448, no infinity: storage and operands of products */
    F8E4M3(5),
    /** 8 bits, largest value 57344: storage and operands of products */
    F8E5M2(6),
    /** The library's {@code DType.I8}. */
    I8(16),
    /** The library's {@code DType.I16}. */
    I16(17),
    /** The library's {@code DType.I32}. */
    I32(18),
    /** The library's {@code DType.I64}. */
    I64(19),
    /** The library's {@code DType.U8}. */
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
