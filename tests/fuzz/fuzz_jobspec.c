/* SPDX-License-Identifier: Apache-2.0 */
#include "jobspec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const struct ofs_jobspec *s)
{
    struct ofs_buf b OFS_AUTOBUF = OFS_BUF_INIT(2 * OFS_JOBSPEC_MAX_BYTES);
    struct ofs_jobspec again OFS_AUTO(ofs_jobspec_done) = { 0 };

    if (ofs_jobspec_format(s, &b) < 0 ||
        ofs_jobspec_parse(b.data, b.len, &again) < 0)
        abort();
    if (!ofs_jobspec_same(s, &again) || s->kind != again.kind ||
        s->size != again.size || s->file != again.file)
        abort();
}

/*
 * As it is, and once more with the right check behind it, which no fuzzer
 * would find.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ofs_jobspec s = { 0 };
    struct ofs_buf b OFS_AUTOBUF = OFS_BUF_INIT(2 * OFS_JOBSPEC_MAX_BYTES);
    char text[OFS_DIGEST_TEXT_MAX];
    struct ofs_digest check;

    if (size > OFS_JOBSPEC_MAX_BYTES)
        return 0;
    if (ofs_jobspec_parse((const char *)data, size, &s) == 0) {
        write_again(&s);
        ofs_jobspec_done(&s);
    }
    (void)ofs_buf_add(&b, data, size);
    if (ofs_digest_of(OFS_SHA256, data, size, &check) < 0)
        abort();
    (void)ofs_buf_addf(&b, "check %s\n", ofs_digest_format(&check, text));
    if (ofs_jobspec_parse(b.data, b.len, &s) == 0) {
        write_again(&s);
        ofs_jobspec_done(&s);
    }
    return 0;
}
