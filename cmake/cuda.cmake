# The CUDA module, where a toolkit is found: CUDA 13 with cuBLASLt. cuDNN is looked for when a context asks for it.
include(CheckLanguage)
find_package(CUDAToolkit 13.0 QUIET)
if(CUDAToolkit_FOUND)
  set(CMAKE_CUDA_COMPILER ${CUDAToolkit_NVCC_EXECUTABLE} CACHE FILEPATH "The CUDA compiler")
  check_language(CUDA)
endif()
if(NOT CUDAToolkit_FOUND OR NOT CMAKE_CUDA_COMPILER OR NOT TARGET CUDA::cublasLt)
  if(MPT_CUDA STREQUAL "ON")
    message(FATAL_ERROR "MPT_CUDA=ON but no CUDA 13 toolkit with nvcc and cuBLASLt was found: install it and set CUDACXX, or use -DMPT_CUDA=OFF")
  endif()
  message(STATUS "no CUDA 13 toolkit with nvcc and cuBLASLt was found: the CUDA module is left out")
  return()
endif()

# One architecture is quick to build; the preset "fat" names all that are supported.
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 90)
endif()
enable_language(CUDA)
message(STATUS "CUDA ${CUDAToolkit_VERSION}: ${CUDAToolkit_NVCC_EXECUTABLE}, architectures ${CMAKE_CUDA_ARCHITECTURES}")
# CMake 3.25 does not know that nvcc 13 can do C++20.
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
endif()

file(GLOB MPT_CUDA_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cpp ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cu)
add_library(mpt_cuda MODULE ${MPT_CUDA_SOURCES} ${MPT_COMMON_SOURCES})
# The matrix instructions that Hopper alone has are not in code for 9.0 and newer, only in code for just that.
if(CMAKE_CUDA_ARCHITECTURES MATCHES "(^|;)90(-real)?(;|$)")
  set_source_files_properties(${PROJECT_SOURCE_DIR}/kernels/cuda/conv2d_wgrad_strips.cu PROPERTIES
                              COMPILE_OPTIONS "--generate-code=arch=compute_90a,code=sm_90a" COMPILE_DEFINITIONS MPT_CUDA_HOPPER)
endif()
target_include_directories(mpt_cuda PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/kernels)
# Device functions may call what the standard library has as constexpr.
target_compile_options(mpt_cuda PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr>
                                        $<$<COMPILE_LANGUAGE:CXX>:-Wall> $<$<COMPILE_LANGUAGE:CXX>:-Wextra>)
# The runtime is linked in, so that a machine without CUDA can be told what is missing.
set_target_properties(mpt_cuda PROPERTIES CUDA_RUNTIME_LIBRARY Static CUDA_STANDARD 20 CUDA_VISIBILITY_PRESET hidden)
target_link_libraries(mpt_cuda PRIVATE CUDA::cudart_static CUDA::cublasLt)
target_link_options(mpt_cuda PRIVATE LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/module.map LINKER:-z,nodelete)
add_dependencies(mpt mpt_cuda)
