# oneDNN by its header and library alone: its own package file asks for the development files of OpenCL too, when it
# was built with them, though nothing here needs those.
#
# Gives OneDNN::OneDNN and OneDNN_VERSION. 2.6 or newer is needed, built on OpenMP by GNU's runtime (as distributions do).
find_path(OneDNN_INCLUDE_DIR oneapi/dnnl/dnnl.hpp)
find_library(OneDNN_LIBRARY dnnl)

if(OneDNN_INCLUDE_DIR)
  file(STRINGS ${OneDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h lines REGEX "define DNNL_VERSION_(MAJOR|MINOR|PATCH)")
  foreach(part MAJOR MINOR PATCH)
    string(REGEX REPLACE ".*DNNL_VERSION_${part} +([0-9]+).*" "\\1" OneDNN_${part} "${lines}")
  endforeach()
  set(OneDNN_VERSION ${OneDNN_MAJOR}.${OneDNN_MINOR}.${OneDNN_PATCH})
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OneDNN REQUIRED_VARS OneDNN_LIBRARY OneDNN_INCLUDE_DIR VERSION_VAR OneDNN_VERSION)
mark_as_advanced(OneDNN_INCLUDE_DIR OneDNN_LIBRARY)

if(OneDNN_FOUND AND NOT TARGET OneDNN::OneDNN)
  add_library(OneDNN::OneDNN UNKNOWN IMPORTED)
  # gomp: the OpenMP runtime that oneDNN runs on, for the number of threads it may use. Not OpenMP::OpenMP_CXX, which is
  # the compiler's own and can be another one.
  set_target_properties(OneDNN::OneDNN PROPERTIES IMPORTED_LOCATION ${OneDNN_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES
                                                  ${OneDNN_INCLUDE_DIR} INTERFACE_LINK_LIBRARIES gomp)
endif()
