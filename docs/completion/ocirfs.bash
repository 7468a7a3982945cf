# SPDX-License-Identifier: Apache-2.0
# bash completion for ocirfs(1)

# Offer what continues $1; each further argument is put before the words that
# come from standard input.  readline has split $1 at '=' and ':' and wants
# only what stands behind the last of them.
_ocirfs_reply()
{
    local word=$1 before=$2 split
    mapfile -t COMPREPLY < <(while read -r w; do
        [[ $before$w != "$word"* ]] || printf '%s\n' "$before$w"
    done)
    split=${word%"${word##*["${COMP_WORDBREAKS//[^=:]/}"]}"}
    COMPREPLY=("${COMPREPLY[@]#"$split"}")
}

_ocirfs_mounts()
{
    awk '$3 == "fuse.ocirfs" { print $2 }' /proc/self/mounts 2> /dev/null
}

_ocirfs_profiles()
{
    sed -n 's/^ *\[\(.*\)\] *$/\1/p' \
        "${OCI_CLI_CONFIG_FILE:-$HOME/.oci/config}" 2> /dev/null
}

# The values that the option $1 may have; $2 is what there is of one.
_ocirfs_values()
{
    case $1 in
    verify) printf '%s\n' lazy strict always ;;
    log) printf '%s\n' error warn info debug ;;
    auth) printf '%s\n' auto api_key security_token instance_principal resource_principal oke_workload_identity instance_obo_user ;;
    region) printf '%s\n' af-casablanca-1 af-johannesburg-1 ap-batam-1 ap-chiyoda-1 ap-chuncheon-1 ap-chuncheon-2 ap-dcc-canberra-1 ap-dcc-gazipur-1 ap-delhi-1 ap-hyderabad-1 ap-ibaraki-1 ap-kulai-2 ap-melbourne-1 ap-mumbai-1 ap-osaka-1 ap-seoul-1 ap-seoul-2 ap-singapore-1 ap-singapore-2 ap-suwon-1 ap-sydney-1 ap-tokyo-1 ca-montreal-1 ca-toronto-1 eu-amsterdam-1 eu-budapest-1 eu-crissier-1 eu-dcc-dublin-1 eu-dcc-dublin-2 eu-dcc-milan-1 eu-dcc-milan-2 eu-dcc-rating-1 eu-dcc-rating-2 eu-dcc-zurich-1 eu-frankfurt-1 eu-frankfurt-2 eu-jovanovac-1 eu-madrid-1 eu-madrid-2 eu-madrid-3 eu-marseille-1 eu-milan-1 eu-paris-1 eu-stockholm-1 eu-turin-1 eu-zurich-1 il-jerusalem-1 me-abudhabi-1 me-abudhabi-2 me-abudhabi-3 me-abudhabi-4 me-alain-1 me-alrayyan-1 me-dcc-doha-1 me-dcc-muscat-1 me-dubai-1 me-ibri-1 me-jeddah-1 me-riyadh-1 mx-monterrey-1 mx-queretaro-1 sa-bogota-1 sa-riodejaneiro-1 sa-santiago-1 sa-saopaulo-1 sa-valparaiso-1 sa-vinhedo-1 uk-cardiff-1 uk-gov-cardiff-1 uk-gov-london-1 uk-london-1 us-ashburn-1 us-ashburn-2 us-chicago-1 us-gov-ashburn-1 us-gov-chicago-1 us-gov-phoenix-1 us-langley-1 us-luke-1 us-newark-1 us-phoenix-1 us-saltlake-2 us-sanjose-1 us-somerset-1 us-thames-1 ;;
    profile) _ocirfs_profiles ;;
    cache | service_account) compgen -d -- "$2" ;;
    ca_file | auth_file | config) compgen -f -- "$2" ;;
    esac
}

# $1: what stands behind -o so far.
_ocirfs_options()
{
    local last=${1##*,} before=${1%"${1##*,}"}
    compopt -o nospace
    case $last in
    *=*)
        _ocirfs_reply "$1" "$before${last%%=*}=" < <(
            _ocirfs_values "${last%%=*}" "${last#*=}")
        ;;
    *) _ocirfs_reply "$1" "$before" < <(printf '%s\n' ttl= timeout= repos= mirror= ca_file= auth_file= plain_http bg cache= cache_size= cache-fsfree= ro allow_delete no_overwrite staging_size= verify= uid= gid= umask= log= auth= config= profile= compartment= region= namespace= registry= identity= artifacts= objectstorage= federation= service_account= allow_other auto_unmount nodev nosuid noexec noatime _netdev nofail) ;;
    esac
}

_ocirfs()
{
    local line=${COMP_LINE:0:COMP_POINT} word previous
    word=${line##* }
    previous=${line%"$word"}
    previous=${previous%"${previous##*[! ]}"}
    previous=${previous##* }
    if [ "$previous" = -o ]; then
        _ocirfs_options "$word"
    elif [ "${COMP_WORDS[1]}" = status ] || [ "${COMP_WORDS[1]}" = umount ]; then
        _ocirfs_reply "$word" "" < <(_ocirfs_mounts
            [ "${COMP_WORDS[1]}" = umount ] || echo --watch)
    elif [[ $word == -* ]]; then
        _ocirfs_reply "$word" "" < <(printf '%s\n' -f -d -o --help --version)
    elif [ "$previous" = "${COMP_WORDS[0]}" ]; then
        _ocirfs_reply "$word" "" < <(
            printf '%s\n' status umount https:// af-casablanca-1 af-johannesburg-1 ap-batam-1 ap-chiyoda-1 ap-chuncheon-1 ap-chuncheon-2 ap-dcc-canberra-1 ap-dcc-gazipur-1 ap-delhi-1 ap-hyderabad-1 ap-ibaraki-1 ap-kulai-2 ap-melbourne-1 ap-mumbai-1 ap-osaka-1 ap-seoul-1 ap-seoul-2 ap-singapore-1 ap-singapore-2 ap-suwon-1 ap-sydney-1 ap-tokyo-1 ca-montreal-1 ca-toronto-1 eu-amsterdam-1 eu-budapest-1 eu-crissier-1 eu-dcc-dublin-1 eu-dcc-dublin-2 eu-dcc-milan-1 eu-dcc-milan-2 eu-dcc-rating-1 eu-dcc-rating-2 eu-dcc-zurich-1 eu-frankfurt-1 eu-frankfurt-2 eu-jovanovac-1 eu-madrid-1 eu-madrid-2 eu-madrid-3 eu-marseille-1 eu-milan-1 eu-paris-1 eu-stockholm-1 eu-turin-1 eu-zurich-1 il-jerusalem-1 me-abudhabi-1 me-abudhabi-2 me-abudhabi-3 me-abudhabi-4 me-alain-1 me-alrayyan-1 me-dcc-doha-1 me-dcc-muscat-1 me-dubai-1 me-ibri-1 me-jeddah-1 me-riyadh-1 mx-monterrey-1 mx-queretaro-1 sa-bogota-1 sa-riodejaneiro-1 sa-santiago-1 sa-saopaulo-1 sa-valparaiso-1 sa-vinhedo-1 uk-cardiff-1 uk-gov-cardiff-1 uk-gov-london-1 uk-london-1 us-ashburn-1 us-ashburn-2 us-chicago-1 us-gov-ashburn-1 us-gov-chicago-1 us-gov-phoenix-1 us-langley-1 us-luke-1 us-newark-1 us-phoenix-1 us-saltlake-2 us-sanjose-1 us-somerset-1 us-thames-1)
    else
        _ocirfs_reply "$word" "" < <(compgen -d -- "$word")
    fi
}
complete -o filenames -F _ocirfs ocirfs
