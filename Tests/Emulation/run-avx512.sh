#!/usr/bin/env bash
# run-avx512.sh PROGRAM [ARGUMENT...]
#
# Runs a statically linked x86-64 Linux program on an emulated processor with AVX-512 (F, BW, DQ, VL, VNNI,
# BF16): Bochs boots a Debian kernel whose first process runs PROGRAM. Prints the program's standard output
# and error, and ends with its status. 124 means that the emulation stopped before the program ended; the
# kernel's messages are then on standard error.
#
# Debian packages: bochsbios vgabios xorriso isolinux syslinux-common cpio, and those of prepare-avx512.sh
#
# EMULATION_TIMEOUT  seconds until the emulation is stopped, 1800 unless given
# EMULATION_CPU      Bochs processor model, sapphire_rapids unless given; corei7_icelake_u is without BF16,
#                    corei7_skylake_x without VNNI
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_commands xorriso cpio timeout
need_file /usr/share/bochs/BIOS-bochs-latest bochsbios
need_file /usr/share/vgabios/vgabios.bin vgabios
need_file /usr/lib/ISOLINUX/isolinux.bin isolinux
need_file /usr/lib/syslinux/modules/bios/ldlinux.c32 syslinux-common
[[ $# -ge 1 ]] || fail "usage: run-avx512.sh PROGRAM [ARGUMENT...]"
[[ -x $1 ]] || fail "$1: no such program"
bash "$emulation_folder/prepare-avx512.sh" > /dev/null
readonly bochs=$emulation_cache/bochs-3.0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make_image() {
  mkdir -p "$work/root" "$work/disc/isolinux"
  "$clang" -O2 -static "$emulation_folder/guest_init.c" -o "$work/root/init"
  cp "$1" "$work/root/program"
  shift
  printf '%s\0' program "$@" > "$work/root/arguments"
  (cd "$work/root" && find . | cpio --quiet -o -H newc) > "$work/disc/isolinux/initrd"
  cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$emulation_cache/vmlinuz" \
    "$work/disc/isolinux"
  # idle=poll: Bochs passes idle time slower than instructions. The clock is told to match ips below.
  # clearcpuid=580 (FSRM): Bochs leaves fast strings off, and this kernel's memmove then takes FSRM without
  # ERMS for both.
  local parameters="console=ttyS0 quiet nokaslr mitigations=off acpi=off apparmor=0 nohz=off highres=off"
  parameters+=" idle=poll tsc_early_khz=10000 clearcpuid=580"
  cat > "$work/disc/isolinux/isolinux.cfg" << CONFIGURATION
DEFAULT linux
PROMPT 0
LABEL linux
  LINUX vmlinuz
  INITRD initrd
  APPEND $parameters
CONFIGURATION
  xorriso -as mkisofs -quiet -o "$work/boot.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat \
    -no-emul-boot -boot-load-size 4 -boot-info-table "$work/disc" 2> "$work/xorriso.log" \
    || fail "$(cat "$work/xorriso.log")"
}

# Waiting by TPAUSE takes minutes of emulation, and the BIOS cannot leave its system management mode where
# five-level paging is offered: both are left out of the models that have them.
configure_bochs() {
  local model=${EMULATION_CPU:-sapphire_rapids} exclude=""
  [[ $model == sapphire_rapids ]] && exclude=', exclude_features="waitpkg,la57"'
  cat > "$work/bochsrc" << CONFIGURATION
config_interface: textconfig
display_library: nogui
memory: guest=512, host=512
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
boot: cdrom
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=$work/boot.iso, status=inserted
cpu: model=$model$exclude, count=1, ips=10000000, reset_on_triple_fault=0
clock: sync=none
com1: enabled=1, mode=file, dev=$work/console
com2: enabled=1, mode=file, dev=$work/output
log: $work/log
panic: action=fatal
error: action=ignore
info: action=ignore
CONFIGURATION
}

make_image "$@"
configure_bochs
# The guest ends by Bochs' shutdown port, which Bochs reports as a fatal error: the status comes from the
# console.
timeout "${EMULATION_TIMEOUT:-1800}" "$bochs" -q -f "$work/bochsrc" > "$work/bochs.out" 2>&1 || true
[[ -f $work/output ]] && cat "$work/output"
status=$(tr -d '\r' < "$work/console" 2> /dev/null | sed -n 's/^guest program status //p' | tail -1)
if [[ -z $status ]]; then
  cat "$work/console" >&2 2> /dev/null || tail -5 "$work/bochs.out" >&2
  tail -3 "$work/log" >&2 || true
  exit 124
fi
exit "$status"
