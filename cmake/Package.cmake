# What is installed where, and the Debian package.
install(TARGETS proofgate DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS proofgated DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(FILES ${CMAKE_SOURCE_DIR}/systemd/proofgate.service DESTINATION lib/systemd/system)
install(PROGRAMS ${CMAKE_SOURCE_DIR}/systemd/proofgate-generator DESTINATION lib/systemd/system-generators)
install(FILES ${CMAKE_SOURCE_DIR}/systemd/proofgate.sysusers DESTINATION lib/sysusers.d RENAME proofgate.conf)
install(FILES ${CMAKE_SOURCE_DIR}/docs/man/proofgate.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CMAKE_SOURCE_DIR}/docs/man/proofgated.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${CMAKE_SOURCE_DIR}/docs/completion/proofgate
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME proofgate)
set(CPACK_PACKAGE_CONTACT "Proofgate maintainers <maintainers@proofgate.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "execution governance for Linux hosts, enforced by BPF LSM")
set(CPACK_PACKAGE_DESCRIPTION
"A process in a governed cgroup may run a program, open a connection or change
a file only while a live receipt covers that exact act. Every decision is in a
tamper-evident ledger.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers")
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/systemd/postinst;${CMAKE_SOURCE_DIR}/systemd/prerm;${CMAKE_SOURCE_DIR}/systemd/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
include(CPack)
