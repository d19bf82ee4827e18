# SPDX-License-Identifier: MIT
#
# cmake/install.cmake - headers, libraries, and what lets others find them.

include(CMakePackageConfigHelpers)

set(PONS_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/pons")
set(PONS_PC_DIR "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(DIRECTORY include/pons TYPE INCLUDE FILES_MATCHING PATTERN "*.h")
install(TARGETS pons_static EXPORT pons)
if(NOT PONS_STATIC)
  install(TARGETS pons_shared EXPORT pons)
endif()
install(EXPORT pons NAMESPACE pons:: FILE pons-targets.cmake
  DESTINATION "${PONS_PACKAGE_DIR}")

configure_package_config_file(cmake/pons-config.cmake.in pons-config.cmake
  INSTALL_DESTINATION "${PONS_PACKAGE_DIR}" PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(pons-config-version.cmake
  COMPATIBILITY SameMajorVersion)
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/pons-config.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/pons-config-version.cmake"
  DESTINATION "${PONS_PACKAGE_DIR}")

install(FILES docs/write-a-pool-policy.md docs/write-a-reactor.md TYPE DOC)

# Relative to its own place, so that an installed tree can be moved.
file(RELATIVE_PATH PONS_PC_PREFIX
  "/prefix/${PONS_PC_DIR}" "/prefix")
string(REGEX REPLACE "/$" "" PONS_PC_PREFIX "${PONS_PC_PREFIX}")
set(PONS_PC_LIBRARIES "${PONS_LIBRARIES}")
list(TRANSFORM PONS_PC_LIBRARIES PREPEND " -l")
string(REPLACE ";" "" PONS_PC_LIBRARIES "${PONS_PC_LIBRARIES}")
configure_file(cmake/pons.pc.in pons.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/pons.pc"
  DESTINATION "${PONS_PC_DIR}")
