#include "base/ssh_wire.h"

#include <sodium.h>

#include <array>

#include "base/bytes.h"

namespace proofgate::ssh {
namespace {

constexpr std::string_view kSigMagic = "SSHSIG";

}  // namespace

void PutU32(std::uint32_t value, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
}

void PutString(std::string_view bytes, std::string& out) {
  PutU32(static_cast<std::uint32_t>(bytes.size()), out);
  out += bytes;
}

bool Reader::U8(std::uint8_t* value) {
  if (rest_.empty()) return false;
  *value = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return true;
}

bool Reader::U32(std::uint32_t* value) {
  if (rest_.size() < 4) return false;
  *value = 0;
  for (int i = 0; i < 4; ++i) *value = (*value << 8) | static_cast<unsigned char>(rest_[static_cast<std::size_t>(i)]);
  rest_.remove_prefix(4);
  return true;
}

bool Reader::String(std::string_view* bytes) {
  Reader ahead(rest_);
  std::uint32_t size = 0;
  if (!ahead.U32(&size) || ahead.rest_.size() < size) return false;
  *bytes = ahead.rest_.substr(0, size);
  rest_ = ahead.rest_.substr(size);
  return true;
}

bool Reader::Literal(std::string_view bytes) {
  if (rest_.substr(0, bytes.size()) != bytes) return false;
  rest_.remove_prefix(bytes.size());
  return true;
}

std::string Armour(std::string_view begin, std::string_view end, std::string_view bytes) {
  const std::string encoded = Base64(bytes);
  std::string out(begin);
  out += '\n';
  for (std::size_t i = 0; i < encoded.size(); i += 70) {
    out += encoded.substr(i, 70);
    out += '\n';
  }
  out += end;
  out += '\n';
  return out;
}

Result<std::string> Unarmour(std::string_view begin, std::string_view end, std::string_view text) {
  if (text.size() > kMaxArmoured) return Fail(Code::kInvalid, "armour: too long");
  if (text.substr(0, begin.size()) != begin)
    return Fail(Code::kInvalid, "armour: '" + std::string(begin) + "' expected");
  const std::size_t stop = text.find(end, begin.size());
  if (stop == std::string_view::npos)
    return Fail(Code::kInvalid, "armour: '" + std::string(end) + "' expected");
  const std::string_view tail = text.substr(stop + end.size());
  if (tail.find_first_not_of("\r\n") != std::string_view::npos)
    return Fail(Code::kInvalid, "armour: text after its end");
  std::string encoded;
  for (const char c : text.substr(begin.size(), stop - begin.size()))
    if (c != '\n' && c != '\r') encoded += c;
  return ParseBase64(encoded);
}

Result<SigParts> ReadSig(std::string_view bytes) {
  Reader reader(bytes);
  std::uint32_t version = 0;
  SigParts parts;
  if (!reader.Literal(kSigMagic) || !reader.U32(&version) || version != 1 || !reader.String(&parts.key) ||
      !reader.String(&parts.name_space) || !reader.String(&parts.reserved) || !reader.String(&parts.hash) ||
      !reader.String(&parts.signature) || !reader.rest().empty())
    return Fail(Code::kInvalid, "signature: not an SSHSIG of version 1");
  return parts;
}

std::string SignedPart(std::string_view name_space, std::string_view message) {
  std::array<unsigned char, crypto_hash_sha512_BYTES> hash{};
  crypto_hash_sha512(hash.data(), reinterpret_cast<const unsigned char*>(message.data()), message.size());
  std::string part(kSigMagic);
  PutString(name_space, part);
  PutString("", part);
  PutString(kSigHash, part);
  PutString({reinterpret_cast<const char*>(hash.data()), hash.size()}, part);
  return part;
}

std::string WriteSig(std::string_view key, std::string_view name_space, std::string_view signature) {
  std::string bytes(kSigMagic);
  PutU32(1, bytes);
  PutString(key, bytes);
  PutString(name_space, bytes);
  PutString("", bytes);
  PutString(kSigHash, bytes);
  PutString(signature, bytes);
  return Armour(kSigBegin, kSigEnd, bytes);
}

}  // namespace proofgate::ssh
