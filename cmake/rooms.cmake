# gatehouse_room(NAME USES <rooms…> LIBRARIES <private third-party…> DOOR_LIBRARIES <third-party the
# door's headers need…>) makes from the folder's files:
#   gatehouse_<name>          static library from *.cc
#   <name>_test               one GoogleTest binary from *_test.cc, one ctest entry
#   <name>_<x>_fuzz           one libFuzzer binary from each *_fuzz.cc (GATEHOUSE_FUZZ=ON)
#   <name>_fuzzers            their objects otherwise
#   <name>_bench              Google Benchmark binary from *_bench.cc
function(gatehouse_room name)
  cmake_parse_arguments(ROOM "" "" "USES;LIBRARIES;DOOR_LIBRARIES;TEST_LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  set(tests ${sources})
  set(fuzzers ${sources})
  set(benches ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")

  set(rooms)
  foreach(used IN LISTS ROOM_USES)
    list(APPEND rooms gatehouse_${used})
  endforeach()

  if(sources)
    add_library(gatehouse_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(gatehouse_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(gatehouse_${name} ${scope} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(gatehouse_${name} ${scope} ${rooms} ${ROOM_DOOR_LIBRARIES} Threads::Threads)
  if(sources)
    target_link_libraries(gatehouse_${name} PRIVATE ${ROOM_LIBRARIES})
    if(GATEHOUSE_FUZZ)
      target_compile_options(gatehouse_${name} PRIVATE -fsanitize=fuzzer-no-link)
    endif()
  endif()

  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE gatehouse_${name} ${ROOM_LIBRARIES}
      ${ROOM_TEST_LIBRARIES} GTest::gtest_main rapidcheck nlohmann_json::nlohmann_json)
    target_compile_definitions(${name}_test PRIVATE GATEHOUSE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    # One process a room: compiling the rule set once for each single test costs minutes.
    add_test(NAME ${name} COMMAND ${name}_test --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES TIMEOUT 1200)
  endif()
  if(benches)
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE gatehouse_${name} ${ROOM_LIBRARIES}
      benchmark::benchmark_main)
    target_compile_definitions(${name}_bench PRIVATE GATEHOUSE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  endif()
  if(GATEHOUSE_FUZZ)
    foreach(file IN LISTS fuzzers)
      get_filename_component(stem ${file} NAME_WE)
      add_executable(${name}_${stem} ${file})
      target_link_libraries(${name}_${stem} PRIVATE gatehouse_${name} ${ROOM_LIBRARIES})
      target_compile_options(${name}_${stem} PRIVATE -fsanitize=fuzzer)
      target_link_options(${name}_${stem} PRIVATE -fsanitize=fuzzer)
    endforeach()
  elseif(fuzzers)
    # Compiled in every build, so that they go on to compile.
    add_library(${name}_fuzzers OBJECT ${fuzzers})
    target_link_libraries(${name}_fuzzers PRIVATE gatehouse_${name} ${ROOM_LIBRARIES})
  endif()
endfunction()

# gatehouse_embed_text(ROOM FUNCTION FILE): compiles a file into the room; FUNCTION, in the room's
# namespace, gives its text as a std::string_view.
function(gatehouse_embed_text room function file)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${function}.cc)
  set(script ${CMAKE_SOURCE_DIR}/cmake/embed_text.cmake)
  add_custom_command(
    OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${source} -DFILE=${file} -DROOM=${room}
      -DFUNCTION=${function} -P ${script}
    DEPENDS ${file} ${script}
    COMMENT "Embedding ${file}"
    VERBATIM)
  target_sources(gatehouse_${room} PRIVATE ${source})
  # The standard asks compilers for 64 KiB a literal; ours takes more.
  set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)
endfunction()
