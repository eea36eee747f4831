/*
 * Answers with libopendkim's verdicts: reads mails and keys from standard input, writes one line a mail.
 *
 * A request is: time (8 bytes), mail, number of records (4 bytes), and for each record its DNS name and its text; mail,
 * name and text each with its length (4 bytes) before it; all numbers big-endian. The answer is `1` where a signature
 * verifies, else `0`. Used by amendment/tests/differential; built with: cc opendkim_peer.c -lopendkim
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>
#include <time.h>

#include <opendkim/dkim.h>

struct record {
	char *name;
	unsigned char *text;
	size_t length;
};

static struct record *records;
static size_t record_count;
static time_t now;

/* Stands in for time(2): the library looks at the clock for t= and x=. */
time_t time(time_t *out)
{
	if (out != NULL)
		*out = now;
	return now;
}

static void read_all(void *out, size_t count)
{
	if (fread(out, 1, count, stdin) != count)
		exit(0);
}

static uint64_t number(size_t bytes)
{
	unsigned char raw[8];
	uint64_t value = 0;

	read_all(raw, bytes);
	for (size_t at = 0; at < bytes; at++)
		value = value << 8 | raw[at];
	return value;
}

/* A block of memory with a final zero byte. */
static unsigned char *block(size_t *length)
{
	unsigned char *data;

	*length = (size_t) number(4);
	data = malloc(*length + 1);
	if (data == NULL)
		exit(1);
	read_all(data, *length);
	data[*length] = '\0';
	return data;
}

/* The first record of the name; libopendkim takes it as a string. */
static DKIM_CBSTAT look_up(DKIM *dkim, DKIM_SIGINFO *sig, unsigned char *buffer, size_t size)
{
	char name[2048];

	(void) dkim;
	snprintf(name, sizeof name, "%s._domainkey.%s", dkim_sig_getselector(sig), dkim_sig_getdomain(sig));
	for (size_t at = 0; at < record_count; at++) {
		if (strcasecmp(records[at].name, name) == 0) {
			if (records[at].length >= size)
				return DKIM_CBSTAT_ERROR;
			memcpy(buffer, records[at].text, records[at].length + 1);
			return DKIM_CBSTAT_CONTINUE;
		}
	}
	return DKIM_CBSTAT_NOTFOUND;
}

static int verifies(DKIM_LIB *library, unsigned char *mail, size_t length)
{
	DKIM_STAT status;
	DKIM_SIGINFO **signatures;
	_Bool test_key;
	int count = 0;
	int good = 0;
	DKIM *dkim = dkim_verify(library, (const unsigned char *) "mail", NULL, &status);

	if (dkim == NULL)
		exit(1);
	if (dkim_chunk(dkim, mail, length) == DKIM_STAT_OK && dkim_chunk(dkim, NULL, 0) == DKIM_STAT_OK) {
		(void) dkim_eom(dkim, &test_key);
		if (dkim_getsiglist(dkim, &signatures, &count) == DKIM_STAT_OK)
			for (int at = 0; at < count; at++)
				good |= DKIM_SIG_CHECK(signatures[at]);
	}
	(void) dkim_free(dkim);
	return good;
}

int main(void)
{
	DKIM_LIB *library = dkim_init(NULL, NULL);

	if (library == NULL || dkim_set_key_lookup(library, look_up) != DKIM_STAT_OK)
		return 1;
	for (;;) {
		size_t length;
		unsigned char *mail;

		now = (time_t) number(8);
		mail = block(&length);
		record_count = (size_t) number(4);
		records = calloc(record_count + 1, sizeof *records);
		if (records == NULL)
			return 1;
		for (size_t at = 0; at < record_count; at++) {
			size_t name_length;

			records[at].name = (char *) block(&name_length);
			records[at].text = block(&records[at].length);
		}
		puts(verifies(library, mail, length) ? "1" : "0");
		fflush(stdout);
		for (size_t at = 0; at < record_count; at++) {
			free(records[at].name);
			free(records[at].text);
		}
		free(records);
		free(mail);
	}
}
