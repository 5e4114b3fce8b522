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
           "  proofgate ledger export --tiles /srv/www/log     # c2sp.org/tlog-tiles, for any web server", calls(ExportLedger));
  at->add_option("--tiles", own->tiles_dir, "directory for tiles, entry bundles and the checkpoint; goes on where it was")->required();
  at->add_option("--checkpoint", own->checkpoint_file, "up to this signed head; default: the newest");
  of_ledger(at);
  with_key(at);
}

}  // namespace proofgate::cli
