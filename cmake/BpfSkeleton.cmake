# add_bpf_skeleton(NAME FILE.bpf.c): compiles FILE for the BPF target and makes
# the interface target NAME whose include directory holds NAME.skel.h. Also
# sets NAME_OBJECT (the .bpf.o, for the layout test) in the caller.
find_program(BPF_CLANG NAMES clang clang-14 REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin REQUIRED)

function(add_bpf_skeleton name source)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(skeleton_dir ${CMAKE_CURRENT_BINARY_DIR}/skeleton)
  set(skeleton ${skeleton_dir}/${name}.skel.h)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Werror
            -Wno-unused-parameter -D__TARGET_ARCH_x86
            -fno-stack-protector
            # 6.1's verifier wants the way back in a loop to be a jump; block
            # placement turns it into a fall-through.
            -mllvm -disable-block-placement
            -fdebug-prefix-map=${CMAKE_SOURCE_DIR}=.
            -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
            -MMD -MF ${object}.d -MT ${object}
            -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
    DEPENDS ${source} DEPFILE ${object}.d COMMENT "BPF ${source}" VERBATIM)
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${skeleton_dir}
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${name} > ${skeleton}.tmp
    COMMAND ${CMAKE_COMMAND} -E rename ${skeleton}.tmp ${skeleton}
    DEPENDS ${object} COMMENT "Skeleton ${name}" VERBATIM)
  add_custom_target(${name}_skeleton DEPENDS ${skeleton})
  add_library(${name} INTERFACE)
  add_dependencies(${name} ${name}_skeleton)
  target_include_directories(${name} SYSTEM INTERFACE ${skeleton_dir})
  set(${name}_OBJECT ${object} PARENT_SCOPE)
endfunction()
