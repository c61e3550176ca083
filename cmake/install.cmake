# Install rules: the library with its modules beside it, the header, find_package(mpt) and mpt.pc. The result can be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
option(MPT_INSTALL "Install rules" ${PROJECT_IS_TOP_LEVEL})
if(NOT MPT_INSTALL)
  return()
endif()

install(TARGETS mpt EXPORT mptTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT dev
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
foreach(module mpt_cpu mpt_onednn mpt_cuda)
  if(TARGET ${module})
    # The library looks for its modules beside itself, so they go wherever it goes.
    install(TARGETS ${module} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime)
  endif()
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/include/mpt.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)
install(FILES ${PROJECT_SOURCE_DIR}/abi/mpt.json DESTINATION ${CMAKE_INSTALL_DATADIR}/mpt COMPONENT dev)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime OPTIONAL)

set(MPT_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/mpt)
install(EXPORT mptTargets NAMESPACE mpt:: DESTINATION ${MPT_CMAKE_DIR} COMPONENT dev)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/mptConfig.cmake.in ${PROJECT_BINARY_DIR}/mptConfig.cmake
                              INSTALL_DESTINATION ${MPT_CMAKE_DIR} NO_SET_AND_CHECK_MACRO)
# While the major version is 0 every minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/mptConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/mptConfig.cmake ${PROJECT_BINARY_DIR}/mptConfigVersion.cmake
        DESTINATION ${MPT_CMAKE_DIR} COMPONENT dev)

# mpt.pc finds its prefix from its own place; an absolute folder given by the packager stays as given.
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR} OR IS_ABSOLUTE ${CMAKE_INSTALL_INCLUDEDIR})
  set(MPT_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
  set(MPT_PC_LIBDIR ${CMAKE_INSTALL_FULL_LIBDIR})
  set(MPT_PC_INCLUDEDIR ${CMAKE_INSTALL_FULL_INCLUDEDIR})
else()
  file(RELATIVE_PATH MPT_PC_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" MPT_PC_UP ${MPT_PC_UP})
  set(MPT_PC_PREFIX "\${pcfiledir}/${MPT_PC_UP}")
  set(MPT_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
  set(MPT_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/mpt.pc.in ${PROJECT_BINARY_DIR}/mpt.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/mpt.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)
