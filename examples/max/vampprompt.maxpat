{
  "patcher": {
    "fileversion": 1,
    "appversion": {
      "major": 8,
      "minor": 5,
      "revision": 0,
      "architecture": "x64",
      "modernui": 1
    },
    "classnamespace": "box",
    "rect": [
      100.0,
      100.0,
      860.0,
      520.0
    ],
    "default_fontsize": 12.0,
    "default_fontname": "Arial",
    "boxes": [
      {
        "box": {
          "id": "help-1",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [
            20.0,
            15.0,
            371.0,
            20.0
          ],
          "text": "Start: vampprompt osc --root FOLDER --reply-port 8003"
        }
      },
      {
        "box": {
          "id": "help-2",
          "maxclass": "comment",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [
            20.0,
            40.0,
            644.0,
            20.0
          ],
          "text": "Then click: path, mask, names and values. Quotes keep a mask with spaces or commas together."
        }
      },
      {
        "box": {
          "id": "compose-1",
          "maxclass": "message",
          "numinlets": 2,
          "numoutlets": 1,
          "patching_rect": [
            20.0,
            70.0,
            322.0,
            22.0
          ],
          "outlettype": [
            ""
          ],
          "text": "loop.wav \"beat & codebook<3\" steps 12 newest 1"
        }
      },
      {
        "box": {
          "id": "compose-2",
          "maxclass": "message",
          "numinlets": 2,
          "numoutlets": 1,
          "patching_rect": [
            20.0,
            100.0,
            329.0,
            22.0
          ],
          "outlettype": [
            ""
          ],
          "text": "loop.wav \"periodic(7, width=2)\" seed 2 newest 1"
        }
      },
      {
        "box": {
          "id": "compose",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 1,
          "patching_rect": [
            20.0,
            135.0,
            189.0,
            22.0
          ],
          "outlettype": [
            ""
          ],
          "text": "prepend /vampprompt/compose"
        }
      },
      {
        "box": {
          "id": "cancel",
          "maxclass": "message",
          "numinlets": 2,
          "numoutlets": 1,
          "patching_rect": [
            380.0,
            135.0,
            126.0,
            22.0
          ],
          "outlettype": [
            ""
          ],
          "text": "/vampprompt/cancel"
        }
      },
      {
        "box": {
          "id": "heartbeat",
          "maxclass": "message",
          "numinlets": 2,
          "numoutlets": 1,
          "patching_rect": [
            520.0,
            135.0,
            147.0,
            22.0
          ],
          "outlettype": [
            ""
          ],
          "text": "/vampprompt/heartbeat"
        }
      },
      {
        "box": {
          "id": "send",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [
            20.0,
            170.0,
            154.0,
            22.0
          ],
          "text": "udpsend 127.0.0.1 8001"
        }
      },
      {
        "box": {
          "id": "receive",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 1,
          "patching_rect": [
            20.0,
            220.0,
            105.0,
            22.0
          ],
          "outlettype": [
            ""
          ],
          "text": "udpreceive 8003"
        }
      },
      {
        "box": {
          "id": "route",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 6,
          "patching_rect": [
            20.0,
            250.0,
            728.0,
            22.0
          ],
          "outlettype": [
            "",
            "",
            "",
            "",
            "",
            ""
          ],
          "text": "route /vampprompt/result /vampprompt/progress /vampprompt/error /vampprompt/cancel /vampprompt/heartbeat"
        }
      },
      {
        "box": {
          "id": "song",
          "maxclass": "newobj",
          "numinlets": 2,
          "numoutlets": 2,
          "patching_rect": [
            20.0,
            290.0,
            60.0,
            22.0
          ],
          "outlettype": [
            "",
            ""
          ],
          "text": "zl nth 2"
        }
      },
      {
        "box": {
          "id": "open",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 1,
          "patching_rect": [
            20.0,
            320.0,
            84.0,
            22.0
          ],
          "outlettype": [
            ""
          ],
          "text": "prepend open"
        }
      },
      {
        "box": {
          "id": "order",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 2,
          "patching_rect": [
            20.0,
            350.0,
            60.0,
            22.0
          ],
          "outlettype": [
            "bang",
            ""
          ],
          "text": "t b l"
        }
      },
      {
        "box": {
          "id": "play",
          "maxclass": "message",
          "numinlets": 2,
          "numoutlets": 1,
          "patching_rect": [
            20.0,
            380.0,
            7.0,
            22.0
          ],
          "outlettype": [
            ""
          ],
          "text": "1"
        }
      },
      {
        "box": {
          "id": "player",
          "maxclass": "newobj",
          "numinlets": 2,
          "numoutlets": 3,
          "patching_rect": [
            20.0,
            415.0,
            63.0,
            22.0
          ],
          "outlettype": [
            "signal",
            "signal",
            "bang"
          ],
          "text": "sfplay~ 2"
        }
      },
      {
        "box": {
          "id": "out",
          "maxclass": "ezdac~",
          "numinlets": 2,
          "numoutlets": 0,
          "patching_rect": [
            20.0,
            450.0,
            45.0,
            45.0
          ]
        }
      },
      {
        "box": {
          "id": "progress",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [
            190.0,
            290.0,
            133.0,
            22.0
          ],
          "text": "print vamp-progress"
        }
      },
      {
        "box": {
          "id": "error",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [
            350.0,
            290.0,
            112.0,
            22.0
          ],
          "text": "print vamp-error"
        }
      },
      {
        "box": {
          "id": "cancelled",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [
            490.0,
            290.0,
            140.0,
            22.0
          ],
          "text": "print vamp-cancelled"
        }
      },
      {
        "box": {
          "id": "alive",
          "maxclass": "newobj",
          "numinlets": 1,
          "numoutlets": 0,
          "patching_rect": [
            650.0,
            290.0,
            140.0,
            22.0
          ],
          "text": "print vamp-heartbeat"
        }
      }
    ],
    "lines": [
      {
        "patchline": {
          "source": [
            "compose-1",
            0
          ],
          "destination": [
            "compose",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "compose-2",
            0
          ],
          "destination": [
            "compose",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "compose",
            0
          ],
          "destination": [
            "send",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "cancel",
            0
          ],
          "destination": [
            "send",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "heartbeat",
            0
          ],
          "destination": [
            "send",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "receive",
            0
          ],
          "destination": [
            "route",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "route",
            0
          ],
          "destination": [
            "song",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "song",
            0
          ],
          "destination": [
            "open",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "open",
            0
          ],
          "destination": [
            "order",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "order",
            1
          ],
          "destination": [
            "player",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "order",
            0
          ],
          "destination": [
            "play",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "play",
            0
          ],
          "destination": [
            "player",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "player",
            0
          ],
          "destination": [
            "out",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "player",
            1
          ],
          "destination": [
            "out",
            1
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "route",
            1
          ],
          "destination": [
            "progress",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "route",
            2
          ],
          "destination": [
            "error",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "route",
            3
          ],
          "destination": [
            "cancelled",
            0
          ]
        }
      },
      {
        "patchline": {
          "source": [
            "route",
            4
          ],
          "destination": [
            "alive",
            0
          ]
        }
      }
    ]
  }
}
