#!/usr/bin/env bash
# Prepares what run-avx512.sh needs beyond installed packages: a Bochs whose processor models have AVX-512
# BF16 (3.0 from Debian trixie's source; bookworm's 2.7 ends at VNNI), and a Linux kernel. Neither is
# installed: both live in the cache folder.
#
# Debian packages: clang (or the Swift toolchain's), libstdc++-12-dev, make, xz-utils, debian-archive-keyring
# Takes two CPU minutes and about 45 MB of downloads, once.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
need_commands apt-get apt-cache dpkg make xz tar
need_file /usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring

readonly bochs_suite=trixie bochs_version=3.0
mkdir -p "$emulation_cache"

# A private apt state, so that sources of another Debian release are reachable without touching the
# system's.
private_apt() {
  local root="$emulation_cache/apt"
  mkdir -p "$root/lists/partial" "$root/cache/archives/partial"
  echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
    "http://deb.debian.org/debian $bochs_suite main" > "$root/sources.list"
  apt-get -qq -o Dir::Etc::sourcelist="$root/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$root/lists" -o Dir::Cache="$root/cache" -o Dir::State::status=/dev/null \
    -o APT::Sandbox::User="$(id -un)" "$@"
}

build_bochs() {
  local build="$emulation_cache/bochs-build"
  rm -rf "$build" && mkdir -p "$build"
  private_apt update
  (cd "$build" && private_apt --tar-only source "bochs/$bochs_suite")
  tar -xf "$build"/bochs_*.orig.tar.xz -C "$build" --strip-components=1
  # Bochs 3.0 scales the one-byte displacement of vdpbf16ps by 4; the manual's full-vector tuple scales by
  # the vector's size. instruction_probe.c finds it.
  sed -i '/BX_IA_EVEX_VDPBF16PS/s/OP_mVdq32/OP_mVdq/' "$build/cpu/decoder/ia_opcodes_evex.def"
  (
    cd "$build" && ./configure --enable-cpu-level=6 --enable-x86-64 --enable-avx --enable-evex \
      --enable-all-optimizations --disable-docbook --with-nogui CC="$clang" CXX="$clang++" \
      CFLAGS="-O2 -w" CXXFLAGS="-O2 -w" \
      && make -j"$(nproc)"
  ) > "$build/build.log" 2>&1 || fail "building Bochs failed: see $build/build.log"
  mv "$build/bochs" "$emulation_cache/bochs-$bochs_version"
  rm -rf "$build"
}

extract_kernel() {
  local work="$emulation_cache/kernel" package
  rm -rf "$work" && mkdir -p "$work"
  package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-/ {print $2; exit}')
  [[ -n $package ]] || fail "apt knows no linux-image-cloud-amd64: run apt-get update"
  (cd "$work" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download "$package")
  dpkg -x "$work"/*.deb "$work/unpacked"
  mv "$work"/unpacked/boot/vmlinuz-* "$emulation_cache/vmlinuz"
  rm -rf "$work"
}

[[ -x $emulation_cache/bochs-$bochs_version ]] || build_bochs
[[ -f $emulation_cache/vmlinuz ]] || extract_kernel
echo "ready: $emulation_cache"
