# SPDX-License-Identifier: MIT
#
# cmake/targets.cmake - how each kind of target is compiled and linked.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT DEFINED CMAKE_COMPILE_WARNING_AS_ERROR)
  set(CMAKE_COMPILE_WARNING_AS_ERROR ON)
endif()

# "", "address,undefined" or "thread": a preset's.
set(PONS_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")

# __FILE__, in places of birth, is relative to the tree.
function(pons_compile target)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:C>:-Wall;-Wextra;-Wshadow;-Wstrict-prototypes;-Wmissing-prototypes>)
  target_compile_options(${target} PRIVATE
    "-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=")
  target_include_directories(${target} PRIVATE
    "${PROJECT_SOURCE_DIR}/include")
  if(PONS_SANITIZE)
    set(flags -fsanitize=${PONS_SANITIZE} -fno-sanitize-recover=all)
    target_compile_options(${target} PRIVATE ${flags} -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE ${flags})
  endif()
endfunction()

# Sources of the library: position-independent, thread-locals at a fixed place
# in every thread (libpons is never unloaded), its own calls not interposed.
function(pons_objects target)
  add_library(${target} OBJECT ${ARGN})
  set_property(TARGET ${target} PROPERTY POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE
    -ftls-model=initial-exec -fno-semantic-interposition)
  pons_compile(${target})
endfunction()

# backends/epoll.c or plugins/inline.c: into the library, and epoll.so. A plugin
# sees the public headers only and links nothing of ours. Its further files
# follow the one that it is named after.
function(pons_plugin source)
  cmake_path(GET source STEM name)
  pons_objects(builtin_${name} ${source} ${ARGN})
  target_compile_definitions(builtin_${name} PRIVATE PONS_BUILTIN=${name})
  list(APPEND PONS_OBJECTS $<TARGET_OBJECTS:builtin_${name}>)
  set(PONS_OBJECTS ${PONS_OBJECTS} PARENT_SCOPE)

  if(NOT PONS_STATIC)
    pons_module(${source} plugins ${ARGN})
  endif()
endfunction()

# The shared object plugin_<name>, in that folder of the build.
function(pons_module source folder)
  cmake_path(GET source STEM name)
  add_library(plugin_${name} MODULE ${source} ${ARGN})
  set_target_properties(plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/${folder}")
  pons_compile(plugin_${name})
  pons_no_undefined(plugin_${name})
  install(TARGETS plugin_${name}
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/pons")
endfunction()

# A plugin over a library that may be missing. It is not among the others: a
# folder on PONS_PLUGIN_PATH_ADD hides what is built in by the same names.
function(pons_wrapper source library header package)
  cmake_path(GET source STEM name)
  file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/wrappers")
  if(PONS_STATIC)
    return()
  endif()
  find_path(${library}_INCLUDE ${header})
  find_library(${library}_LIBRARY ${library})
  mark_as_advanced(${library}_INCLUDE ${library}_LIBRARY)
  if(NOT ${library}_INCLUDE OR NOT ${library}_LIBRARY)
    message(STATUS "No ${header} (Debian: ${package}): ${source} is not built")
    return()
  endif()
  pons_module(${source} wrappers)
  target_include_directories(plugin_${name} SYSTEM PRIVATE
    "${${library}_INCLUDE}")
  target_link_libraries(plugin_${name} PRIVATE "${${library}_LIBRARY}")
endfunction()

# A sanitizer's run time is found in the program, not in the shared object.
function(pons_no_undefined target)
  if(NOT PONS_SANITIZE)
    target_link_options(${target} PRIVATE -Wl,-z,defs)
  endif()
endfunction()

# The files of a folder, as the table of cli/template.h.
function(pons_templates target folder)
  list(TRANSFORM ARGN PREPEND "${PROJECT_SOURCE_DIR}/${folder}/"
    OUTPUT_VARIABLE paths)
  set(script "${PROJECT_SOURCE_DIR}/cmake/templates.cmake")
  set(source "${PROJECT_BINARY_DIR}/templates.c")
  add_custom_command(OUTPUT "${source}"
    COMMAND "${CMAKE_COMMAND}" -D "OUT=${source}"
      -D "FOLDER=${PROJECT_SOURCE_DIR}/${folder}" -D "FILES=${ARGN}"
      -P "${script}"
    DEPENDS ${paths} "${script}" VERBATIM)
  target_sources(${target} PRIVATE "${source}")
endfunction()

# pons_library(TARGET SHARED|STATIC EXPORTED_NAME): with PONS_LIBRARIES, which
# its plugins need.
function(pons_library target kind exported)
  add_library(${target} ${kind} ${PONS_OBJECTS})
  add_library(pons::${exported} ALIAS ${target})
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME pons EXPORT_NAME ${exported} LINKER_LANGUAGE C)
  target_include_directories(${target} INTERFACE
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
    "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  target_link_libraries(${target} PRIVATE
    Threads::Threads ${CMAKE_DL_LIBS} ${PONS_LIBRARIES})
  if(kind STREQUAL "SHARED")
    pons_shared_library(${target})
  endif()
endfunction()

# Only pons_ symbols leave it, and it is never unloaded: threads run in it.
function(pons_shared_library target)
  set(map "${PROJECT_SOURCE_DIR}/cmake/pons.map")
  set_target_properties(${target} PROPERTIES
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LINK_DEPENDS "${map}")
  target_link_options(${target} PRIVATE
    -Wl,-z,nodelete -Wl,-Bsymbolic-functions "-Wl,--version-script=${map}")
  if(PONS_SANITIZE)
    target_link_options(${target} PRIVATE -fsanitize=${PONS_SANITIZE})
  else()
    pons_no_undefined(${target})
  endif()
endfunction()

# A program of this tree that may use what crosses files (poni_).
function(pons_internal target)
  pons_compile(${target})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE pons_static)
  if(PONS_STATIC)
    target_link_options(${target} PRIVATE -static)
  endif()
endfunction()

# A library without a CMake package: pons_find(NAME HEADER) makes target NAME.
function(pons_find name header)
  find_path(${name}_INCLUDE ${header} REQUIRED)
  find_library(${name}_LIBRARY ${name} REQUIRED)
  mark_as_advanced(${name}_INCLUDE ${name}_LIBRARY)
  add_library(${name} UNKNOWN IMPORTED)
  set_target_properties(${name} PROPERTIES
    IMPORTED_LOCATION "${${name}_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${${name}_INCLUDE}")
endfunction()

# bench/limits/slab.c becomes <build>/bench/limits/slab.
function(pons_bench source)
  cmake_path(GET source STEM name)
  cmake_path(GET source PARENT_PATH folder)
  string(REPLACE "/" "_" target ${folder}_${name})
  add_executable(${target} ${source} ${PONS_BENCH_FRAME})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name}
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/${folder}")
  pons_internal(${target})
  target_include_directories(${target} PRIVATE bench)
  install(TARGETS ${target}
    DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/pons/${folder}")
endfunction()

# An example is what a stranger would write: public headers, shared library. It
# ends by itself, with 0; ctest runs it.
function(pons_example source)
  cmake_path(GET source STEM name)
  add_executable(example_${name} ${source})
  set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name}
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/examples")
  pons_compile(example_${name})
  target_link_libraries(example_${name} PRIVATE pons::pons)
  if(BUILD_TESTING)
    add_test(NAME example_${name} COMMAND example_${name})
  endif()
endfunction()
