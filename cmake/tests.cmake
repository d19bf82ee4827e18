# SPDX-License-Identifier: MIT
#
# cmake/tests.cmake - the tests: CUnit suites, one per noun, and scripts.

# What tests share. Where the tree stands reaches them as macros, not as
# variables: PONS_* are settings. A static build has no CUnit for its processor:
# the same tests run one after the other.
add_library(unit STATIC tests/unit_child.c tests/test_host.c
  tests/everywhere.c)
pons_internal(unit)
target_compile_definitions(unit PUBLIC
  TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
  TEST_COMMAND="${PROJECT_BINARY_DIR}/pons")
if(PONS_STATIC)
  target_sources(unit PRIVATE tests/unit_plain.c)
else()
  pons_find(cunit CUnit/Basic.h)
  target_sources(unit PRIVATE tests/unit.c)
  target_link_libraries(unit PUBLIC cunit)
  target_compile_definitions(unit PUBLIC
    TEST_PLUGIN_DIR="${PROJECT_BINARY_DIR}/plugins")
endif()
# tests/everywhere.h: the reactors that are built.
target_compile_definitions(unit PRIVATE
  TEST_WRAPPER_DIR="${PROJECT_BINARY_DIR}/wrappers")
foreach(name libev libuv)
  if(TARGET plugin_${name})
    string(TOUPPER ${name} macro)
    target_compile_definitions(unit PRIVATE TEST_${macro})
  endif()
endforeach()

# pons_test(NOUN): tests/NOUN_test.c, with all that crosses files (poni_). Label
# "runtime": it makes runtimes, so that it may be run over any reactor.
function(pons_test noun)
  add_executable(${noun}_test tests/${noun}_test.c)
  set_property(TARGET ${noun}_test PROPERTY RUNTIME_OUTPUT_DIRECTORY
    "${PROJECT_BINARY_DIR}/tests")
  target_link_libraries(${noun}_test PRIVATE unit m)
  pons_internal(${noun}_test)
  add_test(NAME ${noun} COMMAND ${noun}_test)
  file(STRINGS tests/${noun}_test.c runtimes REGEX "everywhere\\.h")
  if(runtimes)
    set_tests_properties(${noun} PROPERTIES LABELS runtime)
  endif()
endfunction()

# tests/plugins/sample.c, once as it should be and once for every SAMPLE_<way>
# to get it wrong that it knows, beside the tests.
function(pons_samples)
  set(source "${PROJECT_SOURCE_DIR}/tests/plugins/sample.c")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
  file(READ "${source}" text)
  string(REGEX MATCHALL "SAMPLE_[a-z_]+" variants "${text}")
  list(APPEND variants SAMPLE_good)
  list(REMOVE_DUPLICATES variants)
  foreach(variant IN LISTS variants)
    string(REPLACE "SAMPLE_" "" name ${variant})
    add_library(sample_${name} MODULE ${source})
    set_target_properties(sample_${name} PROPERTIES PREFIX ""
      OUTPUT_NAME ${name}
      LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests/plugins")
    target_compile_definitions(sample_${name} PRIVATE ${variant})
    pons_compile(sample_${name})
  endforeach()
endfunction()

if(NOT PONS_STATIC)
  pons_samples()
endif()
foreach(noun IN LISTS PONS_NOUNS)
  pons_test(${noun})
endforeach()
if(TARGET builtin_uring)
  target_compile_definitions(builtin_test PRIVATE PONS_URING)
  target_compile_definitions(unit PRIVATE TEST_URING)
  foreach(noun IN LISTS PONS_URING_NOUNS)
    pons_test(${noun})
  endforeach()
  # What the sysctl says.
  target_link_options(uring_refusal_test PRIVATE -Wl,--wrap=open)
endif()

# tests/wrong/NAME.c: an engine for the kit's own test, beside the tests.
function(pons_subject source)
  cmake_path(GET source STEM name)
  cmake_path(GET source PARENT_PATH folder)
  add_library(subject_${name} MODULE ${source})
  set_target_properties(subject_${name} PROPERTIES PREFIX ""
    OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/${folder}")
  pons_internal(subject_${name})
  target_link_options(subject_${name} PRIVATE -Wl,--exclude-libs,ALL)
endfunction()

if(TARGET any_test)
  target_sources(any_test PRIVATE cli/any.c)
endif()
target_sources(bench_stats_test PRIVATE cli/bench_stats.c)
target_sources(histogram_test PRIVATE bench/histogram.c)
target_sources(queued_test PRIVATE kit/queued.c)
target_sources(bench_syscalls_test PRIVATE cli/bench_syscalls.c)

# A resolver of the test's own.
target_link_options(tcp_test PRIVATE -Wl,--wrap=getaddrinfo)
# An openat(2) that takes its time.
target_link_options(call_test PRIVATE -Wl,--wrap=openat)
# No memory for the stack of main.
target_link_options(main_test PRIVATE -Wl,--wrap=mmap)
target_compile_definitions(unpolled_test PRIVATE
  $<$<NOT:$<CONFIG:RelWithDebInfo,Release,MinSizeRel>>:PONS_DEBUG>)
target_link_options(thrift_test PRIVATE
  -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=epoll_wait)

# tests/pool_rig.h: a system that has no threads.
foreach(noun elastic pool pool_end pool_thread runtime)
  target_link_options(${noun}_test PRIVATE -Wl,--wrap=pthread_create)
endforeach()

# The engines that are shared objects only, as a part of their tests.
foreach(row IN LISTS PONS_WRAPPERS)
  separate_arguments(row)
  list(POP_FRONT row source library)
  cmake_path(GET source STEM name)
  if(TARGET plugin_${name})
    pons_test(${name})
    target_sources(${name}_test PRIVATE ${source})
    target_include_directories(${name}_test SYSTEM PRIVATE
      "${${library}_INCLUDE}")
    target_link_libraries(${name}_test PRIVATE "${${library}_LIBRARY}")
    target_compile_definitions(${name}_test PRIVATE PONS_BUILTIN=${name})
  endif()
endforeach()
if(TARGET libev_test)
  target_link_options(libev_test PRIVATE -Wl,--wrap=ev_loop_new)
endif()

# What `pons new pool` starts with, as it stands.
target_sources(new_pool_test PRIVATE cli/new/pool/MINE.c)
target_compile_definitions(new_pool_test PRIVATE PONS_BUILTIN=template)
target_link_options(new_pool_test PRIVATE -Wl,--wrap=pthread_create)

# PONS_MAIN, in a program of its own.
add_executable(main_program tests/main_program.c)
pons_internal(main_program)
foreach(count 0 1 2)
  add_test(NAME main_${count} COMMAND main_program again)
  set_property(TEST main_${count} PROPERTY ENVIRONMENT PONS_WORKERS=${count})
endforeach()

if(PONS_CLI)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_test(NAME command COMMAND Python3::Interpreter
    "${PROJECT_SOURCE_DIR}/tests/command_test.py"
    $<TARGET_FILE:pons_command>)
  add_test(NAME bench_command COMMAND Python3::Interpreter
    "${PROJECT_SOURCE_DIR}/tests/bench_command_test.py"
    $<TARGET_FILE:pons_command>)
  add_test(NAME bench_program COMMAND Python3::Interpreter
    "${PROJECT_SOURCE_DIR}/tests/bench_program_test.py"
    $<TARGET_FILE:pons_command>)
  add_test(NAME bench_table COMMAND Python3::Interpreter
    "${PROJECT_SOURCE_DIR}/tests/bench_table_test.py"
    "${PROJECT_SOURCE_DIR}/bench/table")
  add_test(NAME bench_agree COMMAND Python3::Interpreter
    "${PROJECT_SOURCE_DIR}/tests/bench_agree_test.py"
    "${PROJECT_SOURCE_DIR}/bench/agree")
  add_test(NAME bench_engines COMMAND Python3::Interpreter
    "${PROJECT_SOURCE_DIR}/tests/bench_engines_test.py"
    "${PROJECT_SOURCE_DIR}/bench/engines")
  if(PONS_BENCH)
    add_test(NAME bench_load COMMAND Python3::Interpreter
      "${PROJECT_SOURCE_DIR}/tests/bench_load_test.py"
      $<TARGET_FILE:bench_echo>)
  endif()
  # Not where all is slow: it would take minutes.
  if(PONS_BENCH AND NOT PONS_SANITIZE AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
    add_test(NAME bench_workloads COMMAND Python3::Interpreter
      "${PROJECT_SOURCE_DIR}/tests/bench_workloads_test.py"
      $<TARGET_FILE:pons_command>)
  endif()
  add_test(NAME new COMMAND Python3::Interpreter
    "${PROJECT_SOURCE_DIR}/tests/new_test.py"
    $<TARGET_FILE:pons_command> "${PROJECT_BINARY_DIR}")
  # The rules, of each engine that is built in, and as a shared object. Not under
  # valgrind, for which buffers that are nowhere are errors, not results.
  set(limit 60s)
  if(PONS_SANITIZE OR CMAKE_CROSSCOMPILING_EMULATOR)
    set(limit 300s)
  endif()
  foreach(engine IN LISTS PONS_REACTORS PONS_POLICIES)
    if(TARGET builtin_${engine})
      add_test(NAME conform_${engine} COMMAND $<TARGET_FILE:pons_command>
        conform --timeout ${limit} ${engine})
    endif()
    if(TARGET plugin_${engine})
      add_test(NAME conform_${engine}_so COMMAND $<TARGET_FILE:pons_command>
        conform --timeout ${limit} $<TARGET_FILE:plugin_${engine}>)
    endif()
    foreach(test conform_${engine} conform_${engine}_so)
      if(TEST ${test})
        set_tests_properties(${test} PROPERTIES SKIP_REGULAR_EXPRESSION
          "is not usable here: io_uring")
      endif()
    endforeach()
  endforeach()
  foreach(source IN LISTS PONS_RIGHT PONS_WRONG PONS_WRONG_POLICIES)
    pons_subject(${source})
  endforeach()
  # The kit has one thread: TSan has nothing to find in it, and takes minutes.
  if(NOT PONS_SANITIZE MATCHES thread)
    add_test(NAME conform COMMAND Python3::Interpreter
      "${PROJECT_SOURCE_DIR}/tests/conform_test.py"
      $<TARGET_FILE:pons_command>)
  endif()
  # "once": what no compiler or switch changes; .ci/run leaves it to ./test.
  if(NOT PONS_SANITIZE AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
    add_test(NAME wrong COMMAND Python3::Interpreter
      "${PROJECT_SOURCE_DIR}/tests/wrong_test.py"
      $<TARGET_FILE:pons_command>)
    add_test(NAME commands_everywhere COMMAND Python3::Interpreter
      "${PROJECT_SOURCE_DIR}/tests/commands_everywhere_test.py"
      $<TARGET_FILE:pons_command>)
    set_tests_properties(wrong commands_everywhere new bench_command
      bench_program PROPERTIES LABELS once)
    # The longest begin first, also where ctest does not know them yet.
    set_tests_properties(wrong PROPERTIES COST 160)
    if(PONS_BENCH)
      set_tests_properties(bench_workloads PROPERTIES LABELS once COST 120)
    endif()
  endif()
  foreach(noun IN LISTS PONS_COMMAND_NOUNS)
    pons_test(${noun})
    target_link_libraries(${noun}_test PRIVATE jansson)
  endforeach()
  target_sources(bench_baseline_test PRIVATE cli/bench_about.c
    cli/bench_baseline.c cli/bench_environment.c cli/bench_json.c cli/bench_result.c
    cli/bench_stats.c cli/bench_syscalls.c cli/bench_units.c cli/say.c)
  target_sources(needed_test PRIVATE cli/needed.c)
  target_compile_definitions(needed_test PRIVATE CACHE_PATH="cache")
  foreach(noun inspect probe)
    add_test(NAME ${noun} COMMAND Python3::Interpreter
      "${PROJECT_SOURCE_DIR}/tests/${noun}_test.py"
      $<TARGET_FILE:pons_command>)
  endforeach()
endif()

if(NOT CMAKE_CROSSCOMPILING)
  add_test(NAME compile_fail
    COMMAND "${PROJECT_SOURCE_DIR}/tests/compile-fail/check")
endif()

# What the headers have for C++, where there is a compiler for it.
include(CheckLanguage)
if(NOT PONS_STATIC AND NOT CMAKE_CROSSCOMPILING)
  check_language(CXX)
endif()
if(CMAKE_CXX_COMPILER)
  enable_language(CXX)
  add_executable(scope_cxx tests/headers/scope.cpp)
  target_compile_features(scope_cxx PRIVATE cxx_std_17)
  pons_compile(scope_cxx)
  target_link_libraries(scope_cxx PRIVATE pons::pons)
  add_test(NAME scope_cxx COMMAND scope_cxx)
endif()
