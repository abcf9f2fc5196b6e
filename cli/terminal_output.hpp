// TerminalPainter: frames as bytes for a terminal, and where on it their pixels are.
//
// Promises: a picture keeps its shape, is as large as fits and centred; enlarged by whole numbers
// with half blocks and sixel, made smaller by averages. Only what has changed since the last
// picture is sent. Transparent pixels stand before black. Nothing here touches the terminal.
// Bounds: memory for the pixels of the window and not more than kMaxWindow says, whatever the
// frame's size; time linear in the frame and the window.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace qip {

enum class Graphics : uint8_t {
  Blocks,  // two pixels a cell, one above the other, in 24-bit colours
  Kitty,   // the kitty graphics protocol
  Sixel,
};

struct TerminalWindow {
  uint32_t columns = 80;
  uint32_t rows = 24;
  uint32_t cell_width = 0;  // pixels; 0: unknown
  uint32_t cell_height = 0;
};

// More columns, rows, and pixels of a cell's side than this are not used.
inline constexpr TerminalWindow kMaxWindow = {1000, 500, 64, 128};

struct PixelPosition {
  int32_t x = 0;
  int32_t y = 0;
};

class TerminalPainter {
 public:
  // Of every frame, in pixels, at least 1.
  TerminalPainter(uint32_t width, uint32_t height);

  void set_window(const TerminalWindow& window);
  const TerminalWindow& window() const { return window_; }
  void set_graphics(Graphics graphics);
  Graphics graphics() const { return graphics_; }

  // What the terminal shows is not known any more: the next picture begins with an empty screen.
  void forget();

  // Appends what makes the terminal show this frame: width * height pixels, R, G, B, A. Nothing, if
  // it does so already.
  void paint(std::span<const uint8_t> rgba, std::string& bytes);

  // The frame's pixel at a place of the window, in cells from its top left corner; outside of the
  // picture it is outside of the frame.
  PixelPosition pixel_at(double column, double row) const;

 private:
  // Of the picture on the window, in cells.
  struct Place {
    double left = 0, top = 0, width = 1, height = 1;
  };

  void lay_out();
  void lay_out_cells();
  void lay_out_kitty();
  void lay_out_sixel();
  void paint_blocks(std::string& bytes);
  void paint_kitty(std::string& bytes);
  void paint_sixel(std::string& bytes);

  uint32_t width_, height_;  // of the frame
  TerminalWindow window_;
  Graphics graphics_ = Graphics::Blocks;
  Place place_;
  // The picture as it is sent, 0xRRGGBB: how large, and the pixels now and as they were sent last.
  uint32_t picture_width_ = 1, picture_height_ = 1;
  // shown_ is empty if that is not known.
  std::vector<uint32_t> picture_, shown_;
  uint32_t columns_ = 1, rows_ = 1;  // Kitty: what it covers
  bool is_second_ = false;           // Kitty: which of two images is on the screen
};

// Makes every pixel of the picture (0xRRGGBB) the average of those of the frame that it stands for.
// Where the picture is larger, pixels are repeated.
void scale_frame(std::span<const uint8_t> rgba, uint32_t width, uint32_t height,
                 uint32_t picture_width, uint32_t picture_height, std::vector<uint32_t>& picture);

// RFC 4648, with padding; appends.
void append_base64(std::span<const uint8_t> bytes, std::string& text);

}  // namespace qip
