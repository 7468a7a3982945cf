# SPDX-License-Identifier: Apache-2.0
# Makes a C table from oracle-regions.csv:  cmake -DIN=… -DOUT=… -P regions.cmake
file(STRINGS ${IN} lines)
list(POP_FRONT lines) # the names of the columns
set(rows "")
foreach(line ${lines})
    string(REPLACE "," ";" columns "${line}")
    list(GET columns 0 key)
    list(GET columns 1 identifier)
    list(GET columns 3 domain)
    string(APPEND rows "    { \"${key}\", \"${identifier}\", \"${domain}\" },\n")
endforeach()
file(WRITE ${OUT} "/* Made from oracle-regions.csv. */
static const struct ofs_ora_region known_regions[] = {
${rows}};
")
