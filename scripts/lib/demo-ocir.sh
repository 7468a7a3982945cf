# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # project and folder are demo's
#
# Sourced by demo, in its folder: OCIR with compartments, from an emulator that
# checks every signature as the real one does.  Uses say, show, is_free, finish
# and sets registry, the process to end.

PATH=$project/scripts:$PATH
services=(registry identity artifacts objectstorage)
ports=()
options=cache=cache
port=5000
for service in "${services[@]}"; do
    until is_free $port; do port=$((port + 1)); done
    ports+=(--port "$service=$port")
    options+=",$service=http://127.0.0.1:$port"
    port=$((port + 1))
done

say "Oracle's cloud on loopback: compartments, repositories, images, policies"
show "ocir-emulator --folder $folder/cloud ${ports[*]} > emulator.txt 2>&1 &"
registry=$!
for ((i = 0; i < 300; i++)); do
    ! grep -q '^Services:' emulator.txt || break
    kill -0 "$registry" 2> /dev/null || {
        tail -n 3 emulator.txt
        exit 1
    }
    sleep 0.1
done

say "Who we are is in the file that Oracle's CLI uses, and signs each request"
show "export OCI_CLI_CONFIG_FILE=$folder/cloud/oci/config"
show "sed -n '1,/^\$/p' cloud/oci/config"
show 'mkdir mnt'
show "ocirfs us-ashburn-1 mnt -o $options"

say "Compartments are directories, in them child compartments and repositories"
show 'ls -l mnt'
show 'ls -l mnt/prod'

say "Tags are files: the manifest's exact bytes"
show 'ls -l mnt/prod/motando-webapp'
show 'cat mnt/prod/motando-webapp/1.4.2; echo'

say "A layer is copied with cp; its name is its digest"
layer=$(grep -A 4 '"layers"' mnt/prod/motando-webapp/1.4.2 |
    grep -oE '[0-9a-f]{64}' | head -n 1)
show "cp mnt/prod/motando-webapp/blobs/sha256/$layer layer.tar.gz"
show 'sha256sum layer.tar.gz'
[ "$(sha256sum < layer.tar.gz)" = "$layer  -" ]

say "What the service knows besides is in extended attributes"
show 'getfattr -d mnt/prod/motando-webapp'
show 'getfattr -d mnt/prod/motando-webapp/1.4.2'

say "mkdir makes a repository in its compartment, a layout written is a push"
show 'mkdir mnt/build/hello'
show 'skopeo copy -q --insecure-policy oci:mnt/prod/motando-webapp:latest oci:mnt/build/hello:1.0'
show 'cp mnt/build/hello/1.0 mnt/build/hello/stable'
show 'ls -l mnt/build/hello'

say "mv to another compartment moves it there; its name in the registry stays"
show 'mv mnt/build/hello mnt/prod/'
show 'ls mnt/prod'

say "About the mount itself"
show 'cat mnt/.ocirfs/status'
finish prod
