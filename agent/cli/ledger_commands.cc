// The rows of the ledger commands.

#include <CLI/CLI.hpp>
#include <memory>

#include "agent/cli/ledger.h"

namespace proofgate::cli {

void AddLedgerCommands(CLI::App& ledger, const AddCommand& add) {
  const auto own = std::make_shared<LedgerOptions>();
  const auto calls = [own](int (*command)(const Options&, const LedgerOptions&)) {
    return [own, command](const Options& options) { return command(options, *own); };
  };
  const auto of_ledger = [own](CLI::App* at) {
    at->add_option("--ledger", own->ledger_dir, "another ledger: a backup or an import");
  };
  const auto with_key = [own](CLI::App* at) {
    at->add_option("--key", own->key_file, "the log's public key: an OpenSSH line or name+id+base64; default: this host's");
  };

  CLI::App* at = add(ledger, "prove", "one file that proves an entry offline (c2sp.org/tlog-proof)",
                     "  proofgate ledger prove 17 > entry-17.tlog-proof\n"
                     "  proofgate ledger prove 17 --checkpoint cosigned > entry-17.tlog-proof",
                     calls(ProveEntry));
  at->add_option("ENTRY", own->index, "its index")->required();
  at->add_option("--checkpoint", own->checkpoint_file, "prove under this signed head; default: the newest");
  of_ledger(at);
  with_key(at);

  at = add(ledger, "verify-proof", "check such a file; needs neither ledger nor daemon",
           "  proofgate ledger verify-proof entry-17.tlog-proof --key host_key.pub", calls(VerifyProof));
  at->add_option("FILE", own->file, "what `ledger prove` wrote")->required();
  with_key(at);

  at = add(ledger, "consistency", "prove that a newer head extends an older one",
           "  proofgate ledger consistency last-year.checkpoint > proof\n"
           "  proofgate ledger consistency old.checkpoint new.checkpoint > proof",
           calls(ProveConsistency));
  at->add_option("OLD", own->file, "a signed head that you kept")->required();
  at->add_option("NEW", own->second_file, "a newer one; default: the newest");
  of_ledger(at);
  with_key(at);

  at = add(ledger, "verify-consistency", "check such a proof; needs neither ledger nor daemon",
           "  proofgate ledger verify-consistency last-year.checkpoint proof --key host_key.pub", calls(VerifyConsistencyFile));
  at->add_option("OLD", own->file, "the signed head that you kept")->required();
  at->add_option("FILE", own->second_file, "what `ledger consistency` wrote")->required();
  with_key(at);

  at = add(ledger, "export", "the ledger in files that need none of our programs",
           "  proofgate ledger export --tiles /srv/www/log      # c2sp.org/tlog-tiles, for any web server\n"
           "  proofgate ledger export --to /mnt/evidence        # JSON Lines, OCSF and usage, with a signed manifest\n"
           "  proofgate ledger export --to /mnt/siem --format ocsf",
           calls(ExportLedger));
  at->add_option("--tiles", own->tiles_dir, "directory for tiles, entry bundles and the checkpoint; goes on where it was");
  at->add_option("--to", own->to, "directory for plain files and their manifest; goes on where it was");
  at->add_option("--format", own->formats, "with --to: jsonl, ocsf or csv; may be repeated; default: all");
  at->add_option("--host-key", own->host_key, "sign the manifest with this private key instead of asking the daemon");
  at->add_option("--checkpoint", own->checkpoint_file, "up to this signed head; default: the newest");
  of_ledger(at);
  with_key(at);

  at = add(ledger, "serve", "an export of tiles over HTTP, on 127.0.0.1 only, for tlog clients",
           "  proofgate ledger export --tiles /srv/log\n  proofgate ledger serve /srv/log --port 8080", calls(ServeLedger));
  at->add_option("DIR", own->file, "what `ledger export --tiles` wrote")->required();
  at->add_option("--port", own->port, "default: any free one, which is printed");

  at = add(ledger, "import", "make a ledger for reading of an export",
           "  proofgate ledger import /mnt/evidence --to /tmp/ledger --key host_key.pub\n"
           "  proofgate ledger verify --ledger /tmp/ledger --key host_key.pub",
           calls(ImportLedger));
  at->add_option("DIR", own->file, "what `ledger export --to` wrote")->required();
  at->add_option("--to", own->to, "the new ledger's directory")->required();
  with_key(at);

  at = add(ledger, "verify", "derive everything again from the entries",
           "  proofgate ledger verify\n  proofgate ledger verify --since last-year.checkpoint\n"
           "  proofgate ledger verify --background --hurry", calls(VerifyLedger));
  CLI::Option* const since = at->add_option("--since", own->since, "a signed head that you kept: the ledger must extend it");
  CLI::Option* const pace = at->add_option("--pace", own->pace, "so many entries a second, to leave the disk to others")->check(CLI::Range(1, 10'000'000));
  CLI::Option* const background = at->add_flag("--background", own->in_daemon, "how far the daemon's own round is, and what the last one found");
  background->excludes(since)->excludes(pace);
  at->add_flag("--hurry", own->hurry, "with --background: begin a round at once")->needs(background);
  of_ledger(at);
  with_key(at);

  at = add(ledger, "query", "entries by what they speak of",
           "  proofgate ledger query --domain demo --code NO_RECEIPT --from 2026-11-24\n"
           "  proofgate ledger query --receipt 3f2a91c0 --json\n"
           "  proofgate ledger query --object /srv/demo/report.txt --limit 10",
           calls(QueryLedger));
  at->add_option("--kind", own->query.kind, "ACT, DENY, ISSUE, ...");
  at->add_option("--domain", own->query.domain, "the domain");
  at->add_option("--session", own->query.session, "the session");
  at->add_option("--code", own->query.code, "why it was refused");
  at->add_option("--rule", own->query.rule, "the rule of the canon");
  at->add_option("--object", own->query.object, "path or address, as an entry has it");
  at->add_option("--receipt", own->query.receipt, "its id, or the first digits");
  at->add_option("--from", own->query.from_utc, "at or after: 2026-11-24 or 2026-11-24T12:30 (UTC)");
  at->add_option("--to", own->query.to_utc, "before");
  at->add_option("--limit", own->query.limit, "at most so many");
  of_ledger(at);

  at = add(ledger, "stat", "size, rates and commit times", "  proofgate ledger stat\n  proofgate ledger stat --kinds", calls(StatLedger));
  at->add_flag("--kinds", own->by_kind, "entries and bytes by kind (reads the whole ledger)");
  of_ledger(at);

  at = add(ledger, "witness-request", "what a witness needs to cosign the head (c2sp.org/tlog-witness add-checkpoint)",
           "  proofgate ledger witness-request > request     # carry it to the witness", calls(WitnessRequest));
  at->add_option("--since", own->since, "the head that the witness has seen; default: what was cosigned last, or none");
  at->add_option("--checkpoint", own->checkpoint_file, "the head to cosign; default: the newest");
  of_ledger(at);
  with_key(at);

  at = add(ledger, "add-cosignatures", "check a witness's reply and put it under the checkpoint",
           "  proofgate ledger add-cosignatures checkpoint reply > cosigned\n"
           "  proofgate ledger add-cosignatures checkpoint reply --keep      # the next start must extend it",
           calls(AddCosignatures));
  at->add_option("CHECKPOINT", own->file, "the checkpoint that was sent")->required();
  at->add_option("REPLY", own->second_file, "what the witness answered")->required();
  at->add_option("--policy", own->policy_file, "witnesses and quorum (c2sp.org/tlog-policy); default /etc/proofgate/witness-policy");
  at->add_flag("--keep", own->keep, "if the quorum is reached, remember it against a rollback");
  with_key(at);

  const auto why = [own](CLI::App* to) { to->add_option("--why", own->why, "for the entry that records it")->required(); };
  const auto custody = [own](CLI::App* to) {
    to->add_option("--signature", own->signatures, "a SSHSIG file over the statement, of a person whom canon's records name; may be repeated");
    to->add_flag("--statement", own->statement, "print what they sign, and do no more");
  };
  const auto host_key = [own](CLI::App* to) { to->add_option("--host-key", own->host_key, "the private key; default: the host's"); };

  at = add(ledger, "backup", "a copy of the ledger while the daemon runs", "  proofgate ledger backup /mnt/backup/2026-11-24", calls(BackupLedger));
  at->add_option("DIR", own->file, "a directory that does not exist")->required();

  at = add(ledger, "restore", "put a backup's store in place (daemon stopped)", "  proofgate ledger restore /mnt/backup/2026-11-24", calls(RestoreLedger));
  at->add_option("DIR", own->file, "the backup")->required();
  of_ledger(at);
  with_key(at);

  at = add(ledger, "continue", "after REFUSED_ROLLBACK: go on from the older store under a new origin (daemon stopped)",
           "  proofgate ledger continue --why 'disk failed, restored the backup of 24 November'", calls(ContinueLedger));
  at->add_option("--origin", own->new_origin, "the new origin; default: a fresh one");
  why(at);
  of_ledger(at);
  host_key(at);

  at = add(ledger, "rotate-key", "let another key sign from now on (daemon stopped)", "  proofgate ledger rotate-key --why yearly", calls(RotateLedgerKey));
  why(at);
  of_ledger(at);
  host_key(at);

  at = add(ledger, "archive", "old entries in one zstd file, read back and compared with the tree",
           "  proofgate ledger archive --below 100000 --to /mnt/archive/1.zst\n"
           "  proofgate ledger archive --below 100000 --to /mnt/archive/1.zst --drop --why 'older than a year'",
           calls(ArchiveLedger));
  at->add_option("--below", own->below, "entries before this one")->required();
  at->add_option("--to", own->to, "a file that does not exist")->required();
  CLI::Option* const drop = at->add_flag("--drop", own->drop, "then drop them from the ledger; their hashes stay");
  at->add_option("--why", own->why, "for the entry that records it")->needs(drop);
  at->add_option("--signature", own->signatures, "as for `ledger retain --below N`")->needs(drop);
  of_ledger(at);

  at = add(ledger, "read-archive", "print an archive's entries, each compared with the tree", "  proofgate ledger read-archive /mnt/archive/1.zst | jq .kind", calls(ReadArchiveFile));
  at->add_option("FILE", own->file, "what `ledger archive` wrote")->required();
  of_ledger(at);

  at = add(ledger, "retain", "drop entries below an index; their hashes stay, so old heads stay provable",
           "  proofgate ledger retain --below 100000 --why 'older than a year' --statement > s\n"
           "  ssh-keygen -Y sign -n ledger@proofgate -f custodian_key s\n"
           "  proofgate ledger retain --below 100000 --why 'older than a year' --signature s.sig",
           calls(RetainLedger));
  CLI::Option* const below = at->add_option("--below", own->below, "entries before this one");
  CLI::Option* const older = at->add_option("--older-than", own->older_than_days, "entries older than so many days")->excludes(below);
  at->add_option("--keep-bytes", own->keep_bytes, "all but the newest, so many bytes of them")->excludes(below)->excludes(older);
  why(at);
  custody(at);

  at = add(ledger, "hold", "keep entries from an index on, whatever retention asks for", "  proofgate ledger hold case-7 --from 5000 --why 'court order'", calls(HoldLedger));
  at->add_option("NAME", own->file, "of a-z, 0-9 and '-'")->required();
  at->add_option("--from", own->index, "the first entry to keep")->required();
  why(at);

  at = add(ledger, "release", "end a hold", "  proofgate ledger release case-7 --why settled --signature s.sig", calls(ReleaseLedgerHold));
  at->add_option("NAME", own->file, "the hold's name")->required();
  why(at);
  custody(at);

  at = add(ledger, "erase", "erase a blob that entries name by its salted digest", "  proofgate ledger erase 9f86d081... --why 'asked for by the person' --signature s.sig", calls(EraseLedgerBlob));
  at->add_option("COMMITMENT", own->file, "the digest")->required();
  why(at);
  custody(at);

  at = add(ledger, "reindex", "derive the index again from the entries (daemon stopped)", "  proofgate ledger reindex", calls(ReindexLedger));
  of_ledger(at);
}

}  // namespace proofgate::cli
