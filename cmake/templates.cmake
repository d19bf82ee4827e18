# SPDX-License-Identifier: MIT
#
# cmake/templates.cmake - cmake -D OUT=... -D FOLDER=... -D FILES=... -P this
#
# Writes a C file with the FILES of FOLDER as arrays: the table of
# cli/template.h. The first part of a file's path is the kind that it is for.

set(arrays "")
set(rows "")
set(n 0)
foreach(file IN LISTS FILES)
  file(READ "${FOLDER}/${file}" text HEX)
  string(REGEX REPLACE "(..)" "0x\\1," text "${text}")
  string(REGEX REPLACE "(.................................................................)" "\\1\n    " text "${text}")
  cmake_path(GET file PARENT_PATH kind)
  cmake_path(GET file FILENAME name)
  string(APPEND arrays
    "static const char text_${n}[] = {\n    ${text}0};\n\n")
  string(APPEND rows "    {\"${kind}\", \"${name}\", text_${n}},\n")
  math(EXPR n "${n} + 1")
endforeach()

file(WRITE "${OUT}" "#include \"cli/template.h\"\n\n${arrays}"
  "const struct template templates[] = {\n${rows}    {0},\n};\n")
