/* The header as SWIG sees it; run with -DSWIGWORDSIZE64. A module's name must not begin with '_'. */
%module MptNative
%{
#include "mpt.h"
%}
%include <stdint.i>
%include "mpt.h"
