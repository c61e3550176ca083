/** Mixed-precision training from Java. */
module org.mpt {
    exports org.mpt;
}
