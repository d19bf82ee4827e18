# SPDX-License-Identifier: MIT
#
# cmake/skip-missing.cmake - leaves out what is listed and not written yet.

foreach(list PONS_CORE PONS_PLUGINS PONS_COMMANDS PONS_BENCHES
             PONS_EXAMPLE_FILES PONS_SWITCH_ASM)
  foreach(source IN LISTS ${list})
    if(NOT EXISTS "${PROJECT_SOURCE_DIR}/${source}")
      message(STATUS "not there yet: ${source}")
      list(REMOVE_ITEM ${list} ${source})
      set(PONS_INCOMPLETE TRUE)
    endif()
  endforeach()
endforeach()
foreach(noun IN LISTS PONS_NOUNS)
  if(NOT EXISTS "${PROJECT_SOURCE_DIR}/tests/${noun}_test.c")
    message(STATUS "not there yet: tests/${noun}_test.c")
    list(REMOVE_ITEM PONS_NOUNS ${noun})
  endif()
endforeach()
if(NOT EXISTS "${PROJECT_SOURCE_DIR}/cli/main.c")
  set(PONS_CLI OFF)
endif()
