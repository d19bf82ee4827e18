/* SPDX-License-Identifier: MIT */
/*
 * cli/digest.c - SHA-256, by OpenSSL's EVP.
 */

#include "digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

int
digest_open(struct digest *d)
{
    d->context = EVP_MD_CTX_new();
    return d->context ? 0 : -ENOMEM;
}

void
digest_close(struct digest *d)
{
    EVP_MD_CTX_free(d->context);
    d->context = NULL;
}

int
digest_start(struct digest *d)
{
    return EVP_DigestInit_ex(d->context, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

int
digest_add(struct digest *d, const void *bytes, size_t size)
{
    return EVP_DigestUpdate(d->context, bytes, size) == 1 ? 0 : -EIO;
}

int
digest_end(struct digest *d, char text[DIGEST_TEXT])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (EVP_DigestFinal_ex(d->context, bytes, &size) != 1 ||
        size * 2 + 1 != DIGEST_TEXT)
        return -EIO;
    for (unsigned i = 0; i < size; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

int
digest_of(const void *bytes, size_t size, char text[DIGEST_TEXT])
{
    struct digest d;
    int err = digest_open(&d);

    if (err < 0)
        return err;
    err = digest_start(&d);
    if (err == 0)
        err = digest_add(&d, bytes, size);
    if (err == 0)
        err = digest_end(&d, text);
    digest_close(&d);
    return err;
}
