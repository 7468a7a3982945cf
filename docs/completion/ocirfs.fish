# SPDX-License-Identifier: Apache-2.0
# fish completion for ocirfs(1)

function __ocirfs_mounts
    awk '$3 == "fuse.ocirfs" { print $2 }' /proc/self/mounts
end

function __ocirfs_profiles
    set -l file $OCI_CLI_CONFIG_FILE ~/.oci/config
    sed -n 's/^ *\[\(.*\)\] *$/\1/p' $file[1] 2>/dev/null
end

# What may follow the options that were typed so far, as one word.
function __ocirfs_options
    set -l typed (commandline -ct)
    set -l before (string match -r '.*,' -- $typed; or echo '')
    set -l last (string replace -r '.*,' '' -- $typed)
    switch $last
        case 'verify=*'
            printf "$before"'verify=%s\n' lazy strict always
        case 'log=*'
            printf "$before"'log=%s\n' error warn info debug
        case 'auth=*'
            printf "$before"'auth=%s\n' auto api_key security_token instance_principal resource_principal oke_workload_identity instance_obo_user
        case 'region=*'
            printf "$before"'region=%s\n' af-casablanca-1 af-johannesburg-1 ap-batam-1 ap-chiyoda-1 ap-chuncheon-1 ap-chuncheon-2 ap-dcc-canberra-1 ap-dcc-gazipur-1 ap-delhi-1 ap-hyderabad-1 ap-ibaraki-1 ap-kulai-2 ap-melbourne-1 ap-mumbai-1 ap-osaka-1 ap-seoul-1 ap-seoul-2 ap-singapore-1 ap-singapore-2 ap-suwon-1 ap-sydney-1 ap-tokyo-1 ca-montreal-1 ca-toronto-1 eu-amsterdam-1 eu-budapest-1 eu-crissier-1 eu-dcc-dublin-1 eu-dcc-dublin-2 eu-dcc-milan-1 eu-dcc-milan-2 eu-dcc-rating-1 eu-dcc-rating-2 eu-dcc-zurich-1 eu-frankfurt-1 eu-frankfurt-2 eu-jovanovac-1 eu-madrid-1 eu-madrid-2 eu-madrid-3 eu-marseille-1 eu-milan-1 eu-paris-1 eu-stockholm-1 eu-turin-1 eu-zurich-1 il-jerusalem-1 me-abudhabi-1 me-abudhabi-2 me-abudhabi-3 me-abudhabi-4 me-alain-1 me-alrayyan-1 me-dcc-doha-1 me-dcc-muscat-1 me-dubai-1 me-ibri-1 me-jeddah-1 me-riyadh-1 mx-monterrey-1 mx-queretaro-1 sa-bogota-1 sa-riodejaneiro-1 sa-santiago-1 sa-saopaulo-1 sa-valparaiso-1 sa-vinhedo-1 uk-cardiff-1 uk-gov-cardiff-1 uk-gov-london-1 uk-london-1 us-ashburn-1 us-ashburn-2 us-chicago-1 us-gov-ashburn-1 us-gov-chicago-1 us-gov-phoenix-1 us-langley-1 us-luke-1 us-newark-1 us-phoenix-1 us-saltlake-2 us-sanjose-1 us-somerset-1 us-thames-1
        case 'profile=*'
            for p in (__ocirfs_profiles)
                echo $before"profile="$p
            end
        case '*'
            printf "$before"'%s\n' ttl= timeout= repos= mirror= ca_file= auth_file= plain_http bg cache= cache_size= cache-fsfree= ro allow_delete no_overwrite staging_size= verify= uid= gid= umask= log= auth= config= profile= compartment= region= namespace= registry= identity= artifacts= objectstorage= federation= service_account= allow_other auto_unmount nodev nosuid noexec noatime _netdev nofail
    end
end

complete -c ocirfs -n '__fish_seen_subcommand_from status umount' -f -a '(__ocirfs_mounts)'
complete -c ocirfs -n '__fish_seen_subcommand_from status' -l watch -d 'draw the transfers'
complete -c ocirfs -n __fish_use_subcommand -f -a 'status umount https:// af-casablanca-1 af-johannesburg-1 ap-batam-1 ap-chiyoda-1 ap-chuncheon-1 ap-chuncheon-2 ap-dcc-canberra-1 ap-dcc-gazipur-1 ap-delhi-1 ap-hyderabad-1 ap-ibaraki-1 ap-kulai-2 ap-melbourne-1 ap-mumbai-1 ap-osaka-1 ap-seoul-1 ap-seoul-2 ap-singapore-1 ap-singapore-2 ap-suwon-1 ap-sydney-1 ap-tokyo-1 ca-montreal-1 ca-toronto-1 eu-amsterdam-1 eu-budapest-1 eu-crissier-1 eu-dcc-dublin-1 eu-dcc-dublin-2 eu-dcc-milan-1 eu-dcc-milan-2 eu-dcc-rating-1 eu-dcc-rating-2 eu-dcc-zurich-1 eu-frankfurt-1 eu-frankfurt-2 eu-jovanovac-1 eu-madrid-1 eu-madrid-2 eu-madrid-3 eu-marseille-1 eu-milan-1 eu-paris-1 eu-stockholm-1 eu-turin-1 eu-zurich-1 il-jerusalem-1 me-abudhabi-1 me-abudhabi-2 me-abudhabi-3 me-abudhabi-4 me-alain-1 me-alrayyan-1 me-dcc-doha-1 me-dcc-muscat-1 me-dubai-1 me-ibri-1 me-jeddah-1 me-riyadh-1 mx-monterrey-1 mx-queretaro-1 sa-bogota-1 sa-riodejaneiro-1 sa-santiago-1 sa-saopaulo-1 sa-valparaiso-1 sa-vinhedo-1 uk-cardiff-1 uk-gov-cardiff-1 uk-gov-london-1 uk-london-1 us-ashburn-1 us-ashburn-2 us-chicago-1 us-gov-ashburn-1 us-gov-chicago-1 us-gov-phoenix-1 us-langley-1 us-luke-1 us-newark-1 us-phoenix-1 us-saltlake-2 us-sanjose-1 us-somerset-1 us-thames-1'
complete -c ocirfs -s f -d 'stay in the foreground'
complete -c ocirfs -s d -d 'log every request'
complete -c ocirfs -s o -x -a '(__ocirfs_options)' -d 'mount options'
complete -c ocirfs -s h -l help -d 'help'
complete -c ocirfs -s V -l version -d 'version'
