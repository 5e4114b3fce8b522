# Running programs and loading code.
. /root/guest/lib.sh

mkdir -p /opt/t /opt/t2
cp /root/guest/prog /opt/t/prog
cp /root/guest/prog /opt/t2/prog
cp /usr/lib/x86_64-linux-gnu/libm.so.6 /opt/t/lib.so
cp /usr/lib/x86_64-linux-gnu/libm.so.6 /opt/t2/lib.so
printf '#!/bin/sh\nexit 42\n' >/opt/t/script
chmod 755 /opt/t/* /opt/t2/*

runs=("exec /opt/t/prog" "execveat /opt/t/prog" "exec /opt/t/script" "memfd /opt/t/prog" "loader /opt/t/prog")
loads=("load /opt/t/lib.so" "load_mprotect /opt/t/lib.so")
refused() { printf '%s EPERM\n' exec execveat exec memfd loader; }
refused_loads() { printf '%s EPERM\n' load load_mprotect; }

same "no receipt: nothing runs" "$(governed act "${runs[@]}")" "$(refused)"
same "no receipt: nothing is loaded" "$(governed act "${loads[@]}")" "$(refused_loads)"
id=$(issue --rule t.exec --ttl 200ms)
ok "the receipt runs out" await state_is "$id" expired
same "expired: nothing runs" "$(governed act "${runs[@]}")" "$(refused)"
id=$(issue --rule t.exec)
same "right receipt" "$(governed act "exec /opt/t/prog" "execveat /opt/t/prog" "exec /opt/t/script")" \
	"$(printf 'exec OK\nexecveat OK\nexec OK')"
same "a program in a memfd is not that program" "$(governed act "memfd /opt/t/prog")" "memfd EPERM"
same "the loader runs nothing that exec would not" "$(governed act "loader /opt/t/prog")" "loader EPERM"
same "a neighbour" "$(governed act "exec /opt/t2/prog")" "exec EPERM"
proofgate receipt revoke "$id" >/dev/null
same "revoked: nothing runs" "$(governed act "${runs[@]}")" "$(refused)"
id=$(issue --rule t.exec --object /opt/t/prog --uses 2)
same "two uses and no third" "$(governed act "exec /opt/t/prog" "exec /opt/t/prog" "exec /opt/t/prog")" \
	"$(printf 'exec OK\nexec OK\nexec EPERM')"
id=$(issue --rule t.load --ttl 200ms)
ok "the receipt to load runs out" await state_is "$id" expired
same "expired: nothing is loaded" "$(governed act "${loads[@]}")" "$(refused_loads)"
id=$(issue --rule t.load)
same "right receipt: loaded" "$(governed act "${loads[@]}")" "$(printf 'load OK\nload_mprotect OK')"
same "a neighbour is not" "$(governed act "load /opt/t2/lib.so")" "load EPERM"
same "code in a memfd is not" "$(governed act load_memfd)" "load_memfd EPERM"
proofgate receipt revoke "$id" >/dev/null
same "revoked: not loaded" "$(governed act "${loads[@]}")" "$(refused_loads)"
ok "LD_PRELOAD loads no code" test -z "$(governed env LD_PRELOAD=/opt/t/lib.so cat /proc/self/maps 2>/dev/null | grep 'r-xp.*/opt/t')"
ok "which it does when it may" test -n "$(LD_PRELOAD=/opt/t/lib.so cat /proc/self/maps | grep 'r-xp.*/opt/t')"
same "ungoverned" "$(act "exec /opt/t/prog" "memfd /opt/t/prog" "load /opt/t/lib.so" load_memfd)" \
	"$(printf 'exec OK\nmemfd OK\nload OK\nload_memfd OK')"

# Deputies are taken out of the base profile.
for deputy in systemctl systemd-run busctl mount su; do
	path=$(command -v $deputy)
	ok "$deputy does not run" test "$(governed "$path" --version 2>&1 | grep -c 'Operation not permitted')" = 1
done
cp "$(command -v systemctl)" /srv/t/sneaky 2>/dev/null || { mkdir -p /srv/t; cp "$(command -v systemctl)" /srv/t/sneaky; }
same "nor does a copy" "$(governed act "exec /srv/t/sneaky")" "exec EPERM"
